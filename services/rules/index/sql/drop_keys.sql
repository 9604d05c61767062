-- drop_keys: the keys under which returns were kept while they waited.
-- $1 shard     int     the one shard of this transaction
-- $2 subjects  uuid[]  keys of the returns
delete from data_key
where shard = $1
  and subject = any($2::uuid[]);
