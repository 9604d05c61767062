-- returned_of: purchases of some accounts of which something was taken back.
-- $1 shard     int     the shard of accounts
-- $2 accounts  uuid[]  the accounts
select distinct of_decision_id
from decision
where shard = $1
  and account_id = any($2::uuid[])
  and of_decision_id is not null;
