-- compare_accounts: note anew which rows of some accounts differ from those beside; TABLE and KEYS are replaced.
-- $1 shard     int     the shard
-- $2 accounts  uuid[]  which accounts
insert into wrong_TABLE
select KEYS
from (select * from TABLE where shard = $1 and account_id = any($2::uuid[])) as live
full join (select * from beside_TABLE where account_id = any($2::uuid[])) as beside using (KEYS)
where live::text is distinct from beside::text
