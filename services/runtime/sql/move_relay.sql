-- move_relay: say up to where the logs of some shards were taken by Kafka; never back.
-- $1 shards    int[]     shards
-- $2 positions bigint[]  their positions
insert into relay_position (shard, position)
select sent.*
from unnest($1::int[], $2::bigint[]) as sent
on conflict (shard) do update
set position = excluded.position
where relay_position.position < excluded.position;
