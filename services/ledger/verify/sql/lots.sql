-- lots: the state of lots of a shard.
-- $1 shard    int  the shard
-- $2 part     int  only accounts whose id, by its last two bytes, falls into this part
-- $3 parts    int  of so many
select
    account_id,
    lot_id,
    currency,
    sequence,
    accrual_id,
    earned_at,
    booked_at,
    activates_at,
    expires_at,
    points,
    pending,
    available,
    held,
    in_transit,
    redeemed,
    expired,
    reversed,
    withdrawn,
    taken_back,
    written_off,
    campaign,
    partner
from lot
where shard = $1
  and ($3 = 1 or ('x' || right(account_id::text, 4))::bit(16)::int % $3 = $2);
