-- not_past: shards whose log does not go beyond a position, or was not published so far.
-- $1 until  bigint  the position
select
    shard.shard,
    shard.head,
    relay_position.position as relayed
from shard
inner join relay_position on relay_position.shard = shard.shard
where least(shard.head, relay_position.position) < $1
order by shard.shard
