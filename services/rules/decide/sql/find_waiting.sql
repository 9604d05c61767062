-- find_waiting: what waits for these participants, in the order in which it came.
-- $1 shard     int     the one shard of this transaction
-- $2 accounts  uuid[]  their accounts
select account_id, member_id, waits_for, decision_id, traceparent, body
from waiting_receipt
where shard = $1
  and account_id = any($2::uuid[])
order by arrived;
