-- drop_rehearsals: forget rehearsals that ended long ago, with their parts.
-- $1 shards  int[]        all shards
-- $2 before  timestamptz  those that ended before this
delete from rehearsal
where shard = any($1::int[])
  and state in ('done', 'failed')
  and ended_at < $2
returning rehearsal_id;
