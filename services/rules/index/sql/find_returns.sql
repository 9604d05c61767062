-- find_returns: returns of these purchases, applied or waiting, and returns under these ids, in the order of their coming.
-- $1 shard      int     the one shard of this transaction
-- $2 purchases  uuid[]  keys of purchases
-- $3 returns    uuid[]  keys of returns
select
    return_key,
    purchase_key,
    verdict,
    fingerprint,
    event_source,
    event_id,
    returned_at,
    lines,
    traceparent,
    body
from purchase_return
where shard = $1
  and (purchase_key = any($2::uuid[]) or return_key = any($3::uuid[]))
order by ordinal;
