-- drop_returns: returns that waited and do not fit their purchase: they are refused, and hold their id no longer.
-- $1 shard  int     the one shard of this transaction
-- $2 keys   uuid[]  of the returns
delete from purchase_return
where shard = $1
  and return_key = any($2::uuid[]);
