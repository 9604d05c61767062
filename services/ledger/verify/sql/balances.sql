-- balances: the state of balances of a shard.
-- $1 shard    int  the shard
-- $2 part     int  only accounts whose id, by its last two bytes, falls into this part
-- $3 parts    int  of so many
select
    account_id,
    currency,
    scale,
    issued,
    adjusted,
    transferred_in,
    transferred_out,
    pending,
    available,
    held,
    in_transit,
    redeemed,
    expired,
    reversed,
    debt,
    debt_since,
    inactivity,
    active_at,
    lapses_at,
    notice_at,
    sent_month,
    sent
from balance
where shard = $1
  and ($3 = 1 or ('x' || right(account_id::text, 4))::bit(16)::int % $3 = $2);
