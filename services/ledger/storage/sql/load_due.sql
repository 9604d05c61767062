-- load_due: what time alone has changed in these accounts since they were written, and when it will next.
-- $1 shard     int          the one shard of this transaction
-- $2 accounts  uuid[]       accounts in which something may be due
-- $3 now       timestamptz  the transaction's clock
with due_hold as materialized (
    select *
    from hold
    where shard = $1 and account_id = any($2) and state = 'open' and expires_at <= $3
),

lapsed as materialized (
    select
        account_id,
        currency
    from balance
    where shard = $1 and account_id = any($2) and lapses_at <= $3
),

due_lot as (
    select *
    from lot
    where shard = $1 and account_id = any($2) and pending > 0 and least(activates_at, expires_at) <= $3
    union
    select lot.*
    from balance
    cross join lateral (
        select *
        from lot
        where shard = $1
          and lot.account_id = balance.account_id
          and lot.currency = balance.currency
          and available > 0
          and expires_at <= $3
    ) as lot
    where balance.shard = $1 and balance.account_id = any($2)
    union
    select lot.*
    from due_hold
    cross join lateral unnest(due_hold.lot_ids) as share (lot_id)
    inner join lot on lot.shard = $1 and lot.account_id = due_hold.account_id and lot.lot_id = share.lot_id
    union
    select lot.*
    from lapsed
    inner join lot on lot.shard = $1 and lot.account_id = lapsed.account_id and lot.currency = lapsed.currency
    where lot.pending + lot.available + lot.held > 0
)

select
    array(
        select row(
            account_id, lot_id, currency, sequence, accrual_id, earned_at, booked_at, activates_at, expires_at, points,
            pending, available, held, in_transit, redeemed, expired, reversed, withdrawn, taken_back, written_off,
            campaign, partner
        )
        from due_lot
    ) as lots,
    array(
        select row(
            account_id, hold_id, currency, state, captured, placed_at, expires_at, day, reference, partner, lot_ids,
            points, held
        )
        from due_hold
    ) as holds,
    array(
        select row(
            wanted.account_id,
            least(
                (
                    select least(activates_at, expires_at)
                    from lot
                    where shard = $1
                      and lot.account_id = wanted.account_id
                      and pending > 0
                      and least(activates_at, expires_at) > $3
                    order by least(activates_at, expires_at)
                    limit 1
                ),
                (
                    select min(next.expires_at)
                    from balance
                    cross join lateral (
                        select expires_at
                        from lot
                        where shard = $1
                          and lot.account_id = wanted.account_id
                          and lot.currency = balance.currency
                          and available > 0
                          and expires_at > $3
                        order by expires_at
                        limit 1
                    ) as next
                    where balance.shard = $1 and balance.account_id = wanted.account_id
                ),
                (
                    select expires_at
                    from hold
                    where shard = $1 and hold.account_id = wanted.account_id and state = 'open' and expires_at > $3
                    order by expires_at
                    limit 1
                )
            )
        )
        from unnest($2::uuid[]) as wanted (account_id)
    ) as later;
