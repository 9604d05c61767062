-- find_keys_everywhere: the keys of subjects in several shards, for a query; a null one was destroyed.
-- $1 shards    int[]   the shards
-- $2 subjects  uuid[]  members, or purchases whose member is unknown
select shard, subject, master, wrapped
from data_key
where shard = any($1::int[])
  and subject = any($2::uuid[]);
