-- due_accounts: accounts of a shard in which something may be due, the longest due first.
-- $1 shard  int          the shard
-- $2 now    timestamptz  the clock
-- $3 limit  int          at most so many
select account_id
from account
where shard = $1 and due_at <= $2
order by due_at
limit $3;
