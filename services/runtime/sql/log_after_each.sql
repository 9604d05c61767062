-- log_after_each: the next entries of all shards together, bounded in bytes; for rounds that are known to be small.
-- $1 sent      bigint[]  the position sent last, shard 0 first
-- $2 until     bigint[]  the last position wanted, shard 0 first
-- $3 max_bytes bigint    their bodies together, the first one whatever its size
-- $4 max_rows  int       at most so many entries of one shard
select
    shard,
    position,
    key,
    type,
    traceparent,
    body
from (
    select
        shard.shard,
        entry.position,
        entry.key,
        entry.type,
        entry.traceparent,
        entry.body,
        sum(octet_length(entry.body)) over (order by shard.shard, entry.position) as bytes,
        row_number() over (order by shard.shard, entry.position) as number
    from shard
    cross join lateral (
        select
            event.position,
            event.key,
            event.type,
            event.traceparent,
            event.body
        from event
        where event.shard = shard.shard
          and event.position > ($1::bigint[])[shard.shard + 1]
          and event.position <= ($2::bigint[])[shard.shard + 1]
        order by event.position
        limit $4
    ) as entry
    where ($2::bigint[])[shard.shard + 1] > ($1::bigint[])[shard.shard + 1]
) as bounded
where bytes <= $3
   or number = 1
order by shard, position;
