-- find_entries: purchases that are in the index; read under the shard row.
-- $1 shard  int     the one shard of this transaction
-- $2 keys   uuid[]  of the purchases
select
    purchase_key,
    account_id,
    member_id,
    programme,
    card_category,
    fingerprint,
    purchased_at,
    lines
from purchase_index
where shard = $1
  and purchase_key = any($2::uuid[]);
