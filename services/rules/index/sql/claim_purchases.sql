-- claim_purchases: purchases that belonged to nobody, and now to an account.
-- $1 shard            int     the one shard of this transaction
-- $2 keys             uuid[]  of the purchases
-- $3 accounts         uuid[]  whose they are, one for each
-- $4 members          uuid[]
-- $5 card_categories  text[]
update purchase_index
set account_id = claimed.account_id, member_id = claimed.member_id, card_category = claimed.card_category
from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[])
    as claimed (purchase_key, account_id, member_id, card_category)
where purchase_index.shard = $1
  and purchase_index.purchase_key = claimed.purchase_key;
