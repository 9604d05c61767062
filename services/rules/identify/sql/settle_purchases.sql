-- settle_purchases: the verdict on purchases that waited.
-- $1 shard       int     the one shard of this transaction
-- $2 keys        uuid[]  of the purchases
-- $3 verdict     text    the same for all of them
-- $4 account_id  uuid    null where nobody earns by them
-- $5 member_id   uuid    null where nobody earns by them
update purchase
set verdict = $3, account_id = $4, member_id = $5
where shard = $1
  and purchase_key = any($2::uuid[]);
