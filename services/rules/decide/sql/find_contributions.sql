-- find_contributions: what counts for sums between some dates, account by account; the bands do not overlap.
-- $1 shard     int            the one shard of this transaction
-- $2 accounts  uuid[]         one for each band
-- $3 after     timestamptz[]  where each band begins, itself left out
-- $4 until     timestamptz[]  where each band ends
select decision.account_id, decision.counts_at, decision.qualifying, decision.spend, decision.purchases
from (
    select unnest($2::uuid[]) as account_id, unnest($3::timestamptz[]) as after_at, unnest($4::timestamptz[]) as until_at
) as band
join decision
    on decision.shard = $1
    and decision.account_id = band.account_id
    and decision.counts_at > band.after_at
    and decision.counts_at <= band.until_at;
