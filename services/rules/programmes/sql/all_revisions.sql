-- all_revisions: which programmes there are, and how far each has come; asked every second.
-- $1 shards  int[]  all shards
select shard, tenant, programme, revision, suspensions
from programme
where shard = any($1::int[]);
