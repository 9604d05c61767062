-- forget_beside: rows beside of accounts that have changed since; TABLE is replaced.
-- $1 accounts  uuid[]  which
delete from beside_TABLE
where account_id = any($1::uuid[])
