-- log_after: the next entries of a shard's log, bounded in number and in bytes; at least one if there is any.
-- $1 shard     int     the shard
-- $2 after     bigint  the position before the first
-- $3 until     bigint  the last position, for the planner to stay within its partition
-- $4 max_rows  int     at most so many entries
-- $5 max_bytes bigint  their bodies together, the first one whatever its size
select
    position,
    key,
    type,
    traceparent,
    body
from (
    select
        position,
        key,
        type,
        traceparent,
        body,
        sum(octet_length(body)) over (order by position) as bytes
    from (
        select
            position,
            key,
            type,
            traceparent,
            body
        from event
        where shard = $1
          and position > $2
          and position <= $3
        order by position
        limit $4
    ) as next
) as bounded
where bytes <= $5
   or position = $2 + 1
order by position;
