-- lots: a page of an account's lots, oldest first.
-- $1 shard    int     the account's shard
-- $2 account  uuid    the account
-- $3 after    bigint  the sequence of the last lot of the page before
-- $4 open     bool    only those that hold points
-- $5 limit    int     at most so many
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
  and account_id = $2
  and sequence > $3
  and (not $4 or pending > 0 or available > 0 or held > 0 or in_transit > 0)
order by sequence
limit $5;
