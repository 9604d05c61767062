-- see: an account as it was written, its balances, and what expires in which month; all there is to tell where nothing is due by now.
-- $1 shard    int          the account's shard
-- $2 account  uuid         the account
-- $3 now      timestamptz  the clock
-- $4 zone     text         name of the programme's zone: a lot's last good instant decides the month; null: not asked
-- $5 apart    bigint[]     sequences of lots that are left out of what expires
-- What is available is read month by month from its index alone, so that 100,000 lots are added up in some
-- milliseconds; a month of a currency may come twice, once for what is available and once for what is only pending.
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
        with recursive of_month as (
            select
                currency,
                null::timestamptz as first_at,
                $3::timestamptz as ends_at
            from balance
            where shard = $1 and account_id = $2 and $4::text is not null
            union all
            select
                of_month.currency,
                next.expires_at,
                (date_trunc('month', (next.expires_at - interval '1 microsecond') at time zone $4) + interval '1 month')
                at time zone $4
            from of_month
            cross join lateral (
                select expires_at
                from lot
                where shard = $1
                  and lot.account_id = $2
                  and lot.currency = of_month.currency
                  and available > 0
                  and expires_at > of_month.ends_at
                  and sequence <> all($5::bigint [])
                order by expires_at
                limit 1
            ) as next
        )

        select row(
            currency,
            to_char((first_at - interval '1 microsecond') at time zone $4, 'YYYY-MM'),
            good.points,
            first_at,
            good.first_points
        )
        from of_month
        cross join lateral (
            select
                sum(available + pending)::bigint as points,
                (sum(available + pending) filter (where expires_at = first_at))::bigint as first_points
            from lot
            where shard = $1
              and lot.account_id = $2
              and lot.currency = of_month.currency
              and available > 0
              and expires_at >= of_month.first_at
              and expires_at <= of_month.ends_at
              and sequence <> all($5::bigint [])
        ) as good
        where of_month.first_at is not null
        union all
        select row(currency, month, sum(points)::bigint, first_at, (sum(points) filter (where at_first))::bigint)
        from (
            select
                currency,
                month,
                points,
                min(expires_at) over in_month as first_at,
                expires_at = min(expires_at) over in_month as at_first
            from (
                select
                    currency,
                    expires_at,
                    sum(pending) as points,
                    to_char((expires_at - interval '1 microsecond') at time zone $4, 'YYYY-MM') as month
                from lot
                where shard = $1
                  and account_id = $2
                  and pending > 0
                  and available = 0
                  and expires_at > $3
                  and sequence <> all($5::bigint [])
                  and $4::text is not null
                group by currency, expires_at
            ) as dated
            window in_month as (partition by currency, month)
        ) as by_month
        group by currency, month, first_at
    ) as expiring
from account
where account.shard = $1 and account.account_id = $2;
