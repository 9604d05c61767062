-- accounts: the state of accounts of a shard.
-- $1 shard    int  the shard
-- $2 part     int  only accounts whose id, by its last two bytes, falls into this part
-- $3 parts    int  of so many
select
    account_id,
    tenant,
    programme,
    member_id,
    status,
    erased,
    version,
    lots_opened,
    tier,
    tier_since,
    tier_until,
    standing,
    merged_into,
    merging_from,
    redemption_day,
    redemptions_on_day,
    due_at,
    known_at,
    position
from account
where shard = $1
  and ($3 = 1 or ('x' || right(account_id::text, 4))::bit(16)::int % $3 = $2);
