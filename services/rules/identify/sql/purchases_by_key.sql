-- purchases_by_key: a purchase as it was taken in, under each identifier that it came under, first come first.
-- $1 shards        int[]  all shards: under which identifier it came is not asked
-- $2 purchase_key  uuid
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
where shard = any($1::int[])
  and purchase_key = $2
order by first_seen_at, shard;
