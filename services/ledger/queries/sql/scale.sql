-- scale: how many decimals a currency of an account has.
-- $1 shard     int   the account's shard
-- $2 account   uuid  the account
-- $3 currency  text  the currency
select scale
from balance
where shard = $1 and account_id = $2 and currency = $3;
