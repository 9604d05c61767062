-- swap_totals: add what totals of days lack.
-- $1 shard  int  the shard
insert into daily_total as live (
    shard, tenant, programme, currency, effective_on, recorded_on, source, target, expires_in, earned_with,
    spent_with, points, movements
)
select
    $1::int,
    wrong.*
from wrong_daily_total as wrong
on conflict (
    shard, tenant, programme, currency, effective_on, recorded_on, source, target, expires_in, earned_with, spent_with
) do update set
    points = live.points + excluded.points,
    movements = live.movements + excluded.movements
