-- recall_answers: what was answered under these idempotency keys; read under the shard row.
-- $1 shard  int     the one shard of this transaction
-- $2 scopes text[]  tenant, caller and route of each
-- $3 keys   text[]  their keys, in the same order
select
    scope,
    key,
    fingerprint,
    status,
    answer,
    recorded_at
from idempotency_key
where shard = $1
  and scope = any($2::text[])
  and key = any($3::text[]);
