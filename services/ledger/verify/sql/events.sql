-- events: the log of a shard from a position on, in order.
-- $1 shard  int     the shard
-- $2 after  bigint  the position before the first
-- $3 until  bigint  the last position
select
    position,
    event_id::text as event_id,
    type,
    recorded_at,
    traceparent,
    key,
    account_id::text as account_id,
    version,
    body,
    hash
from event
where shard = $1 and position > $2 and position <= $3
order by position;
