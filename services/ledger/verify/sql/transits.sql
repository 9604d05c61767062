-- transits: the state of transits of a shard.
-- $1 shard    int  the shard
-- $2 part     int  only accounts whose id, by its last two bytes, falls into this part
-- $3 parts    int  of so many
select
    account_id,
    transit_id,
    to_account_id,
    currency,
    lot_ids,
    points,
    month
from transit
where shard = $1
  and ($3 = 1 or ('x' || right(account_id::text, 4))::bit(16)::int % $3 = $2);
