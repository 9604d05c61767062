-- forget_wrong: what was noted of accounts, because it is noted anew or put right; TABLE is replaced.
-- $1 accounts  uuid[]  which
delete from wrong_TABLE
where account_id = any($1::uuid[])
