-- events: what an archive holds of a shard, in order.
-- $1 shard  int     the shard
-- $2 after  bigint  the position before the first
-- $3 until  bigint  the last position
select
    position,
    key,
    hash,
    body
from event
where shard = $1 and position > $2 and position <= $3
order by position
