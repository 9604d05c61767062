-- take_out: remove the rows of some accounts that are not as they should be; TABLE and SAME are replaced.
-- $1 shard     int     the shard
-- $2 accounts  uuid[]  which accounts
delete from TABLE as live
using wrong_TABLE as wrong
where live.shard = $1
  and live.account_id = any($2::uuid[])
  and SAME
