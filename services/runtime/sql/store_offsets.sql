-- store_offsets: say what is done of some partitions; never back, so a worker that lost them changes nothing.
-- $1 consumer_group text      the group
-- $2 topics         text[]    full names
-- $3 partitions     int[]     their partitions
-- $4 next_offsets   bigint[]  the first offset not yet done
insert into consumer_offset (consumer_group, topic, partition, next_offset)
select
    $1::text,
    done.*
from unnest($2::text[], $3::int[], $4::bigint[]) as done
on conflict (consumer_group, topic, partition) do update
set next_offset = excluded.next_offset
where consumer_offset.next_offset < excluded.next_offset;
