-- note_totals: by how much totals of days differ from those beside: what is added to them later, whatever they are then.
-- $1 shard  int  the shard
insert into wrong_daily_total
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
    coalesce(beside.points, 0) - coalesce(live.points, 0) as points,
    coalesce(beside.movements, 0) - coalesce(live.movements, 0) as movements
from (select * from daily_total where shard = $1) as live
full join beside_daily_total as beside
    using (tenant, programme, currency, effective_on, recorded_on, source, target, expires_in, earned_with, spent_with)
where (live.points, live.movements) is distinct from (beside.points, beside.movements)
