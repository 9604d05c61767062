-- find_participants: the participants of a batch; read under the shard row.
-- $1 shard     int     the one shard of this transaction
-- $2 accounts  uuid[]  their accounts
select account_id, tenant, programme, member_id, enrolled_at, decisions, waiting, due_at, state, known
from participant
where shard = $1
  and account_id = any($2::uuid[]);
