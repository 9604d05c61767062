-- totals: what moved in each day, of a shard.
-- $1 shard  int  the shard
select
    tenant,
    programme,
    currency,
    effective_on,
    recorded_on,
    source,
    target,
    expires_in,
    earned_with,
    spent_with,
    points,
    movements
from daily_total
where shard = $1;
