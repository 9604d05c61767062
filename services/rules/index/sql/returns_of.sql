-- returns_of: the returns of a purchase, in the order of their coming.
-- $1 shard         int   of the purchase's id
-- $2 purchase_key  uuid
select
    return_id,
    verdict,
    returned_at,
    lines
from purchase_return
where shard = $1
  and purchase_key = $2
order by ordinal;
