-- all_programmes: the programmes of a tenant, for people.
-- $1 shards  int[]  all shards
-- $2 tenant  text   whose they are
select programme, revision, suspensions, recorded_at
from programme
where shard = any($1::int[])
  and tenant = $2
order by programme;
