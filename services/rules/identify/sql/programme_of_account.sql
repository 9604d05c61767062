-- programme_of_account: the programme of an account that somebody holds an identifier of.
-- $1 shards      int[]  all shards
-- $2 tenant      text
-- $3 account_id  uuid
select programme
from holding
where shard = any($1::int[])
  and account_id = $3
  and tenant = $2
limit 1;
