-- marks: where a shard says that it stands, and how many accounts, lots, redemptions and holds it has together.
-- $1 shard  int          the shard
-- $2 now    timestamptz  the clock; null: that of the database
select
    shard.head,
    shard.hash,
    shard.recorded_at,
    shard.recorded_at > coalesce($2::timestamptz, clock_timestamp()) + interval '1 day' as ahead,
    (select position from relay_position where shard = $1) as relayed,
    (select coalesce(sum(lots_opened + 1), 0)::bigint from account where shard = $1)
    + (select count(*) from redemption where shard = $1)
    + (select count(*) from hold where shard = $1) as rows_of_state
from shard
where shard.shard = $1;
