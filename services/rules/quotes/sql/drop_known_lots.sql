-- drop_known_lots: forget lots of which nothing is left, or which will always count from now on.
-- $1 shard     int     the one shard of this transaction
-- $2 accounts  uuid[]  the accounts of the lots
-- $3 lots      uuid[]  lots that were touched
delete from known_lot
where shard = $1
  and account_id = any($2::uuid[])
  and lot_id = any($3::uuid[])
  and pending = 0
  and (expires_at is null or (available = 0 and held = 0));
