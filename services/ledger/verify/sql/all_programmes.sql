-- all_programmes: the terms that are kept of every programme.
select
    tenant,
    programme,
    revision,
    state
from programme;
