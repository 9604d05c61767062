-- events_of_part: the events of some accounts of a shard from a position on, in order.
-- $1 shard  int     the shard
-- $2 after  bigint  the position before the first
-- $3 until  bigint  the last position
-- $4 part   int     only accounts whose id, by its last two bytes, falls into this part
-- $5 parts  int     of so many
select
    position,
    concat_ws(
        e'\t', event_id, type, recorded_at, coalesce(traceparent, e'\\N'), key, account_id, version
    ) as columns,
    body,
    hash
from event
where shard = $1
  and position > $2
  and position <= $3
  and ('x' || right(account_id::text, 4))::bit(16)::int % $5 = $4
order by position;
