-- take_shard: hold the row of a shard to the end of the transaction: single writer, commit-ordered positions.
-- $1 shard int  the one shard of this transaction
select
    head,
    hash,
    recorded_at
from shard
where shard = $1
for no key update;
