-- marks: where a shard says that it stands, and how many lots and waiting commands it holds.
-- $1 shard  int  the shard
select
    shard.head,
    shard.hash,
    shard.recorded_at,
    (select position from relay_position where shard = $1) as relayed,
    (select coalesce(sum(lots_opened), 0)::bigint from account where shard = $1) as lots
from shard
where shard.shard = $1;
