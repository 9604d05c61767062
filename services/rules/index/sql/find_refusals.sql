-- find_refusals: messages about these returns and purchases that were refused.
-- $1 shard  int     the one shard of this transaction
-- $2 keys   uuid[]  of the returns, purchases or messages
select
    subject_key,
    event_source,
    event_id,
    code,
    message,
    field
from refusal
where shard = $1
  and subject_key = any($2::uuid[]);
