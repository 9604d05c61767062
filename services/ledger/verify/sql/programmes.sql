-- programmes: what is kept of published programmes in a shard.
-- $1 shard  int  the shard
select
    tenant,
    programme,
    revision,
    state
from programme
where shard = $1;
