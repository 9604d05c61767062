-- programmes: what was published since an instant; a few rows, looked up by every process.
-- $1 since  timestamptz  rows recorded before were seen
select
    tenant,
    programme,
    revision,
    state,
    recorded_at
from programme
where recorded_at >= $1;
