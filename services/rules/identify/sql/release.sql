-- release: forget what was kept of things that no longer wait.
-- $1 shard  int     the one shard of this transaction
-- $2 keys   uuid[]  business keys
delete from kept
where shard = $1
  and subject_key = any($2::uuid[]);
