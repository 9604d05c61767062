-- owner: what never changes of an account.
-- $1 shard    int   the account's shard
-- $2 account  uuid  the account
select
    tenant,
    programme
from account
where shard = $1 and account_id = $2;
