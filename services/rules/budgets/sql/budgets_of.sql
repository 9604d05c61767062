-- budgets_of: the budgets of a programme's campaigns, for people.
-- $1 shards     int[]  all shards
-- $2 tenant     text   whose programme
-- $3 programme  text   the programme
select campaign, rule, currency, scale, total, granted, asks, cut, recorded_at
from budget
where shard = any($1::int[])
  and tenant = $2
  and programme = $3
order by campaign;
