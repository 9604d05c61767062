-- find_kept_by_key: what was kept under these keys.
-- $1 shard  int     the one shard of this transaction
-- $2 keys   uuid[]  business keys
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
  and subject_key = any($2::uuid[]);
