-- find_keys: the keys of subjects in one shard; a null one was destroyed.
-- $1 shard     int     the one shard of this transaction
-- $2 subjects  uuid[]  members, or purchases whose member is unknown
select shard, subject, master, wrapped
from data_key
where shard = $1
  and subject = any($2::uuid[]);
