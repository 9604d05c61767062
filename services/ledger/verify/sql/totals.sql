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
    points,
    movements
from daily_total
where shard = $1;
