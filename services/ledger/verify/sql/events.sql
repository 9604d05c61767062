-- events: the log of a shard from a position on, in order; `columns` are those that the bytes say too, as one text.
-- $1 shard  int     the shard
-- $2 after  bigint  the position before the first
-- $3 until  bigint  the last position
select
    position,
    concat_ws(
        e'\t', event_id, type, recorded_at, coalesce(traceparent, e'\\N'), key, account_id, version
    ) as columns,
    body,
    hash
from event
where shard = $1 and position > $2 and position <= $3
order by position;
