-- past_of: everything that was decided on some accounts before a date, each account's in the order of its decisions.
-- $1 shard     int          the shard of accounts
-- $2 accounts  uuid[]       the accounts
-- $3 until     timestamptz  only what happened before
select account_id, decision_id, member_id, kind, cause_key, cause_id, of_decision_id, occurred_at, counts_at, spend, record,
    inputs
from decision
where shard = $1
  and account_id = any($2::uuid[])
  and occurred_at < $3
order by account_id, number;
