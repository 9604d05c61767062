-- put_in: write the rows of some accounts as they should be; TABLE and SAME are replaced.
-- $1 accounts  uuid[]  which accounts
insert into TABLE
select live.*
from beside_TABLE as live
inner join wrong_TABLE as wrong on SAME
where live.account_id = any($1::uuid[])
