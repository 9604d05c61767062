-- heads: which shards have entries after the positions that were sent; looked at many times a second.
-- $1 sent bigint[]  the position sent last, shard 0 first
select
    shard,
    head
from shard
where head > ($1::bigint[])[shard + 1];
