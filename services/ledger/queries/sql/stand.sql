-- stand: an account as it was written, and its balances; whole where nothing is due by now.
-- $1 shard    int   the account's shard
-- $2 account  uuid  the account
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
    ) as balances
from account
where account.shard = $1 and account.account_id = $2;
