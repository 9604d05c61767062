-- find_asks: what decisions asked of budgets, and what became of it; read under the shard row.
-- $1 shard      int     the one shard of this transaction
-- $2 decisions  uuid[]  the decisions on the purchases
select ask_id, decision_id, rule, partner, currency, asked, counted, remains, granted, taken
from budget_ask
where shard = $1
  and decision_id = any($2::uuid[])
order by ask_id;
