-- find_purchases_before: of each account, the last purchase before a date.
-- $1 shard     int            the one shard of this transaction
-- $2 accounts  uuid[]         one for each date
-- $3 before    timestamptz[]  the dates
select late.account_id, found.counts_at, found.qualifying, found.spend, found.purchases
from (select unnest($2::uuid[]) as account_id, unnest($3::timestamptz[]) as before_at) as late
cross join lateral (
    select decision.counts_at, decision.qualifying, decision.spend, decision.purchases
    from decision
    where decision.shard = $1
      and decision.account_id = late.account_id
      and decision.counts_at < late.before_at
      and decision.purchases > 0
    order by decision.counts_at desc
    limit 1
) as found;
