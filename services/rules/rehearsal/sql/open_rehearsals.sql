-- open_rehearsals: those that are not done yet, the longest asked for first.
-- $1 shards  int[]  all shards
select shard, rehearsal_id, tenant, programme, file, version, against, since, until
from rehearsal
where shard = any($1::int[])
  and state in ('waiting', 'running')
order by asked_at, rehearsal_id;
