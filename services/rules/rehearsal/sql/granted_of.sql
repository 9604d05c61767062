-- granted_of: what budgets granted to some decisions.
-- $1 shard      int     the shard of accounts
-- $2 decisions  uuid[]  the decisions
select ask_id, granted
from budget_ask
where shard = $1
  and decision_id = any($2::uuid[])
  and granted is not null;
