-- find_kept: what waits under these identifiers, in the order of its coming.
-- $1 shard        int      the one shard of this transaction
-- $2 identifiers  bytea[]  keyed hashes
select
    subject_key,
    identifier,
    programme,
    kind,
    happened_at,
    traceparent,
    body
from kept
where shard = $1
  and identifier = any($2::bytea[])
order by ordinal;
