-- find_key: what was asked before under an Idempotency-Key.
-- $1 shard  int   of the key itself
-- $2 scope  text  tenant, caller and route
-- $3 key    text
select
    scope,
    key,
    fingerprint,
    status,
    answer,
    recorded_at
from idempotency_key
where shard = $1
  and scope = $2
  and key = $3;
