-- keep_earlier_due: an account may say that something is due sooner than it is; that is no difference.
-- $1 shard     int     the shard
-- $2 accounts  uuid[]  of these accounts; null: of all
update beside_account as beside
set due_at = live.due_at
from account as live
where live.shard = $1
  and live.account_id = beside.account_id
  and live.due_at < coalesce(beside.due_at, 'infinity')
  and ($2::uuid[] is null or live.account_id = any($2::uuid[]))
