-- erased: whether the member of an account was erased.
-- $1 shard    int   the account's shard
-- $2 account  uuid  the account
select erased
from account
where shard = $1 and account_id = $2;
