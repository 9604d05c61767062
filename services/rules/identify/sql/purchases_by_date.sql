-- purchases_by_date: purchases under a programme, the latest first, from a place in the list on.
-- $1 tenant     text
-- $2 programme  text
-- $3 at         timestamptz  of the last purchase that was listed, or later than any
-- $4 key        uuid         of that purchase
-- $5 most       int          rows
select
    shard,
    purchase_key,
    programme,
    purchase_id,
    identifier,
    account_id,
    member_id,
    verdict,
    fingerprint,
    purchased_at,
    first_seen_at,
    store,
    currency,
    total
from purchase
where tenant = $1
  and programme = $2
  and (purchased_at, purchase_key) < ($3, $4)
order by purchased_at desc, purchase_key desc
limit $5;
