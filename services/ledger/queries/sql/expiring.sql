-- expiring: what expires of an account in which month, and at the first instant of it; lots that are due are apart.
-- $1 shard    int          the account's shard
-- $2 account  uuid         the account
-- $3 now      timestamptz  the clock
-- $4 zone     text         name of the programme's zone: a lot's last good instant decides the month
-- $5 apart    uuid[]       lots that are left out
select
    currency,
    month,
    sum(points)::bigint as points,
    first_at,
    (sum(points) filter (where at_first))::bigint as first_points
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
                  and lot_id <> all($5::uuid [])
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
              and lot_id <> all($5::uuid [])
        ) as dated
    ) as good
    window of_month as (partition by currency, month)
) as by_month
group by currency, month, first_at;
