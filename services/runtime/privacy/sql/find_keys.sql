-- find_keys: the keys of subjects in some shards; a null one was destroyed.
-- $1 shards    int[]   one in the write path, all of them for a query
-- $2 subjects  uuid[]  members, or purchases whose member is unknown
select shard, subject, master, wrapped
from data_key
where shard = any($1::int[])
  and subject = any($2::uuid[]);
