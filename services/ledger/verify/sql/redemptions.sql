-- redemptions: the state of redemptions of a shard.
-- $1 shard    int  the shard
-- $2 part     int  only accounts whose id, by its last two bytes, falls into this part
-- $3 parts    int  of so many
select
    account_id,
    redemption_id,
    currency,
    owed,
    owed_restored,
    unbacked,
    redeemed_at,
    hold_id,
    claimed_by,
    day,
    reference,
    forwarded,
    partner,
    lot_ids,
    points,
    restored
from redemption
where shard = $1
  and ($3 = 1 or ('x' || right(account_id::text, 4))::bit(16)::int % $3 = $2);
