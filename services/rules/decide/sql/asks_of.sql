-- asks_of: what became of the asks of decisions, for people.
-- $1 shards     int[]   where their accounts are
-- $2 decisions  uuid[]  the decisions
select ask_id, decision_id, granted, taken
from budget_ask
where shard = any($1::int[])
  and decision_id = any($2::uuid[]);
