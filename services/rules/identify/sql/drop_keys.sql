-- drop_keys: the keys under which things were kept that no longer are.
-- $1 shard     int     the one shard of this transaction
-- $2 subjects  uuid[]  business keys of the purchases, activities and facts
delete from data_key
where shard = $1
  and subject = any($2::uuid[]);
