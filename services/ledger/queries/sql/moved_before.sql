-- moved_before: what moved in a programme on whole days, by currency, buckets, month of expiry and partners.
-- $1 tenant     text  whose
-- $2 programme  text  which
-- $3 from_day   date  the first day (UTC)
-- $4 to_day     date  the day after the last
select
    currency,
    source,
    target,
    expires_in,
    earned_with,
    spent_with,
    sum(points)::bigint as points,
    sum(movements)::bigint as movements
from daily_total
where tenant = $1 and programme = $2 and effective_on >= $3 and effective_on < $4
group by currency, source, target, expires_in, earned_with, spent_with;
