-- programme_scales: how many decimals the currencies of a programme have, from what was ever moved in them.
-- $1 tenant     text  whose
-- $2 programme  text  which
select
    moved.currency,
    known.scale
from (
    select distinct currency
    from daily_total
    where tenant = $1 and programme = $2
) as moved
cross join lateral (
    select balance.scale
    from account
    inner join balance on balance.shard = account.shard and balance.account_id = account.account_id
    where account.tenant = $1 and account.programme = $2 and balance.currency = moved.currency
    limit 1
) as known;
