-- wrong_accounts: accounts with rows of state that are not as they should be, and how many rows.
select
    account_id,
    count(*) as rows
from (
    select account_id from wrong_account
    union all
    select account_id from wrong_balance
    union all
    select account_id from wrong_lot
    union all
    select account_id from wrong_hold
    union all
    select account_id from wrong_redemption
    union all
    select account_id from wrong_transit
) as wrong
group by account_id
order by account_id
