-- rewind_offsets: go on from another place, back included; while the group's workers stand still.
-- $1 consumer_group text      the group
-- $2 topics         text[]    full names
-- $3 partitions     int[]     their partitions
-- $4 next_offsets   bigint[]  where to go on
insert into consumer_offset (consumer_group, topic, partition, next_offset)
select
    $1::text,
    place.*
from unnest($2::text[], $3::int[], $4::bigint[]) as place
on conflict (consumer_group, topic, partition) do update
set next_offset = excluded.next_offset;
