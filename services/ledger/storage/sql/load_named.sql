-- load_named: what commands name: accruals, holds, redemptions, transfers under way, or all that is open, with its lots.
-- $1 shard        int     the one shard of this transaction
-- $2 accounts     uuid[]  the accounts of the commands
-- $3 accruals     uuid[]  accruals whose lots are needed
-- $4 holds        uuid[]  holds by their id
-- $5 redemptions  uuid[]  redemptions by their id, or by that of the purchase that claimed them
-- $6 transits     uuid[]  transfers under way by their id
-- $7 whole        uuid[]  accounts of which every open lot is needed
with named_hold as materialized (
    select *
    from hold
    where shard = $1 and account_id = any($2) and hold_id = any($4)
),

named_redemption as materialized (
    select *
    from redemption
    where shard = $1
      and account_id = any($2)
      and (redemption_id = any($5) or claimed_by = any($5) or hold_id = any($4))
),

named_transit as materialized (
    select *
    from transit
    where shard = $1 and account_id = any($2) and transit_id = any($6)
),

share as materialized (
    select
        account_id,
        unnest(lot_ids) as lot_id
    from named_hold
    union
    select
        account_id,
        unnest(lot_ids)
    from named_redemption
    union
    select
        account_id,
        unnest(lot_ids)
    from named_transit
),

named_lot as (
    select *
    from lot
    where shard = $1 and account_id = any($2) and accrual_id = any($3)
    union
    select lot.*
    from share
    inner join lot on lot.shard = $1 and lot.account_id = share.account_id and lot.lot_id = share.lot_id
    union
    select *
    from lot
    where shard = $1 and account_id = any($7) and pending + available + held > 0
)

select
    array(
        select row(
            account_id, lot_id, currency, sequence, accrual_id, earned_at, booked_at, activates_at, expires_at, points,
            pending, available, held, in_transit, redeemed, expired, reversed, withdrawn, taken_back, written_off,
            campaign, partner
        )
        from named_lot
    ) as lots,
    array(
        select row(
            account_id, hold_id, currency, state, captured, placed_at, expires_at, day, reference, partner, lot_ids,
            points, held
        )
        from named_hold
    ) as holds,
    array(
        select row(
            account_id, redemption_id, currency, owed, owed_restored, unbacked, redeemed_at, hold_id, claimed_by, day,
            reference, forwarded, partner, lot_ids, points, restored
        )
        from named_redemption
    ) as redemptions,
    array(
        select row(account_id, transit_id, to_account_id, currency, lot_ids, points, month)
        from named_transit
    ) as transits;
