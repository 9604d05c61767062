-- heads: how far every shard has come, and how much of it was published.
select
    shard.shard,
    shard.head,
    shard.hash,
    nullif(shard.recorded_at, '-infinity') as recorded_at,
    relay_position.position as published
from shard
inner join relay_position on relay_position.shard = shard.shard
order by shard.shard;
