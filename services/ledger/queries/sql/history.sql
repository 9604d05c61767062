-- history: what an account had at an instant, as it was known at an instant, by currency.
-- $1 shard    int          the account's shard
-- $2 account  uuid         the account
-- $3 base     timestamptz  the earlier of the two instants: all that was known by then counted by then
-- $4 as_of    timestamptz  movements that count later are left out
-- $5 known    timestamptz  movements known later are left out
with base as (
    select
        balance.currency,
        balance.scale,
        line.pending_after,
        line.available_after,
        line.held_after,
        line.transit_after,
        line.debt_after
    from balance
    left join lateral (
        select *
        from entry
        where shard = $1
          and entry.account_id = $2
          and entry.known_at <= $3
          and entry.currency = balance.currency
        order by known_at desc, version desc
        limit 1
    ) as line on true
    where balance.shard = $1 and balance.account_id = $2
),

-- What counted by the base and was known after it, was known so much later than it counted: a line that is late by at
-- most an hour is looked for within the hour after the base, and so on, so that a long history is not read.
late_line as (
    select
        currency,
        pending,
        available,
        held,
        in_transit,
        debt
    from entry
    where shard = $1
      and account_id = $2
      and known_at > $3
      and known_at <= least($5, $3 + interval '5 seconds')
      and effective_at <= $4
      and known_at - effective_at <= interval '5 seconds'
    union all
    select
        line.currency,
        line.pending,
        line.available,
        line.held,
        line.in_transit,
        line.debt
    from (
        values
        (0, interval '1 minute'),
        (1, interval '1 hour'),
        (2, interval '1 day'),
        (3, interval '30 days'),
        (4, interval '400 days'),
        (5, interval '9999 years')
    ) as lateness (number, longest)
    cross join lateral (
        select *
        from entry
        where shard = $1
          and account_id = $2
          and width_bucket(
              extract(epoch from known_at - effective_at), '{60, 3600, 86400, 2592000, 34560000}'::numeric []
          ) = lateness.number
          and known_at - effective_at > interval '5 seconds'
          and known_at > $3
          and known_at <= least($5, $3 + lateness.longest)
          and effective_at <= $4
    ) as line
),

late as (
    select
        currency,
        sum(pending)::bigint as pending,
        sum(available)::bigint as available,
        sum(held)::bigint as held,
        sum(in_transit)::bigint as in_transit,
        sum(debt)::bigint as debt
    from late_line
    group by currency
)

select
    currency,
    base.scale,
    coalesce(pending_after, 0) + coalesce(late.pending, 0) as pending,
    coalesce(available_after, 0) + coalesce(late.available, 0) as available,
    coalesce(held_after, 0) + coalesce(late.held, 0) as held,
    coalesce(transit_after, 0) + coalesce(late.in_transit, 0) as in_transit,
    coalesce(debt_after, 0) + coalesce(late.debt, 0) as debt
from base
left join late using (currency);
