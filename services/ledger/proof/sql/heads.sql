-- heads: where the log of every shard stands.
select
    shard,
    head,
    hash
from shard
order by shard;
