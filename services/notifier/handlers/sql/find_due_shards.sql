-- find_due_shards: shards in which something is to be sent.
-- $1 shards  int[]        all shards
-- $2 now     timestamptz
select one.shard
from unnest($1::int[]) as one (shard)
where exists (
    select from delivery
    where delivery.shard = one.shard
      and delivery.state in ('waiting', 'sending')
      and delivery.due_at <= $2
);
