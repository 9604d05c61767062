-- scales: how many decimals the currencies of these accounts have.
-- $1 shard     int     the one shard of this transaction
-- $2 accounts  uuid[]  the accounts
select
    account.tenant,
    account.programme,
    balance.currency,
    balance.scale
from account
inner join balance on balance.shard = $1 and balance.account_id = account.account_id
where account.shard = $1 and account.account_id = any($2);
