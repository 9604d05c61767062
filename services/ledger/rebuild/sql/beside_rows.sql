-- beside_rows: the rows beside of some accounts; TABLE is replaced.
-- $1 accounts  uuid[]  which
select *
from beside_TABLE
where account_id = any($1::uuid[])
