-- take_free_shards: hold the rows of those shards that nobody holds now to the end of the transaction; waits for none.
-- $1 shards int[]  the shards of this transaction
select
    shard,
    head,
    hash,
    recorded_at
from shard
where shard = any($1::int[])
order by shard
for no key update skip locked;
