-- load: what most commands need, in one round trip: what is known of them, their accounts, and the lots they may spend.
-- $1 shard       int          the one shard of this transaction
-- $2 commands    uuid[]       the commands of the batch, and those that they ask about
-- $3 accounts    uuid[]       the accounts of the batch
-- $4 now         timestamptz  the transaction's clock
-- $5 spending    uuid[]       accounts whose points are to be spent; with $6 and $7 one row each
-- $6 currencies  text[]       in which currency
-- $7 cover       bigint[]     how many points, in the smallest unit
-- $8 lots_max    int          how many lots to look through for each
select
    array(
        select row(command_id, account_id, verdict, code, request, answer)
        from movement
        where shard = $1 and command_id = any($2)
    ) as known,
    array(
        select row(awaited_id, command_id, content)
        from waiting
        where shard = $1 and awaited_id = any($2)
        order by recorded_at, command_id
    ) as waiting,
    array(
        select row(
            account_id, tenant, programme, member_id, status, erased, version, lots_opened, tier, tier_since,
            tier_until, standing, merged_into, merging_from, redemption_day, redemptions_on_day, due_at, known_at, position
        )
        from account
        where shard = $1 and account_id = any($3)
    ) as accounts,
    array(
        select row(
            account_id, currency, scale, issued, adjusted, transferred_in, transferred_out, pending, available, held,
            in_transit, redeemed, expired, reversed, debt, debt_since, inactivity, active_at, lapses_at, notice_at,
            sent_month, sent
        )
        from balance
        where shard = $1 and account_id = any($3)
    ) as balances,
    array(
        select row(
            spendable.account_id, lot_id, spendable.currency, sequence, accrual_id, earned_at, booked_at, activates_at,
            expires_at, points, pending, available, held, in_transit, redeemed, expired, reversed, withdrawn,
            taken_back, written_off, campaign, partner
        )
        from unnest($5::uuid[], $6::text[], $7::bigint[]) as wanted (account_id, currency, cover)
        cross join lateral (
            select
                soonest.*,
                sum(available) over (
                    order by expires_at, earned_at, sequence rows between unbounded preceding and 1 preceding
                ) as before
            from (
                select *
                from lot
                where shard = $1
                  and lot.account_id = wanted.account_id
                  and lot.currency = wanted.currency
                  and available > 0
                  and (expires_at is null or expires_at > $4)
                order by expires_at, earned_at, sequence
                limit $8
            ) as soonest
        ) as spendable
        where before is null or before < wanted.cover
    ) as lots;
