-- find_budgets: the budgets of campaigns, as far as anybody has asked them; read under the shard row.
-- $1 shard       int     the one shard of this transaction, the campaigns' home
-- $2 tenants     text[]  one for each campaign, as all arrays
-- $3 programmes  text[]  their programmes
-- $4 campaigns   text[]  the campaigns
select tenant, programme, campaign, rule, currency, scale, total, granted, asks, cut
from budget
where shard = $1
  and (tenant, programme, campaign) in (
      select unnest($2::text[]), unnest($3::text[]), unnest($4::text[])
  );
