-- hashes: what stands at some positions of a shard's log.
-- $1 shard      int       the shard
-- $2 positions  bigint[]  which
select
    position,
    hash
from event
where shard = $1 and position = any($2::bigint[])
order by position;
