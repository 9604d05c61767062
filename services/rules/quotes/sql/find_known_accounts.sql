-- find_known_accounts: what is known of accounts in the books; read under the shard row.
-- $1 shard     int     the one shard of this transaction
-- $2 accounts  uuid[]  the accounts
select account_id, state
from known_account
where shard = $1
  and account_id = any($2::uuid[]);
