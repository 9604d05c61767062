-- see: an account as it was written, its balances, and what expires in which month; all there is to tell where nothing is due by now.
-- $1 shard    int          the account's shard
-- $2 account  uuid         the account
-- $3 now      timestamptz  the clock
-- $4 zone     text         name of the programme's zone: a lot's last good instant decides the month
select
    account.account_id,
    account.tenant,
    account.programme,
    account.member_id,
    account.status,
    account.erased,
    account.version,
    account.lots_opened,
    account.tier,
    account.tier_since,
    account.tier_until,
    account.standing,
    account.merged_into,
    account.merging_from,
    account.redemption_day,
    account.redemptions_on_day,
    account.due_at,
    account.known_at,
    account.position,
    array(
        select row(
            account_id, currency, scale, issued, adjusted, transferred_in, transferred_out, pending, available, held,
            in_transit, redeemed, expired, reversed, debt, debt_since, inactivity, active_at, lapses_at, notice_at,
            sent_month, sent
        )
        from balance
        where shard = $1 and account_id = $2
    ) as balances,
    array(
        select row(currency, month, sum(points)::bigint, first_at, (sum(points) filter (where at_first))::bigint)
        from (
            select
                currency,
                month,
                points,
                min(expires_at) over of_month as first_at,
                expires_at = min(expires_at) over of_month as at_first
            from (
                select
                    currency,
                    expires_at,
                    points,
                    to_char((expires_at - interval '1 microsecond') at time zone $4, 'YYYY-MM') as month
                from (
                    select
                        lot.currency,
                        lot.expires_at,
                        lot.available + lot.pending as points
                    from balance
                    cross join lateral (
                        select *
                        from lot
                        where shard = $1
                          and lot.account_id = balance.account_id
                          and lot.currency = balance.currency
                          and available > 0
                          and expires_at > $3
                    ) as lot
                    where balance.shard = $1 and balance.account_id = $2
                    union all
                    select
                        currency,
                        expires_at,
                        pending
                    from lot
                    where shard = $1
                      and account_id = $2
                      and pending > 0
                      and available = 0
                      and expires_at > $3
                ) as dated
            ) as good
            window of_month as (partition by currency, month)
        ) as by_month
        group by currency, month, first_at
    ) as expiring
from account
where account.shard = $1 and account.account_id = $2;
