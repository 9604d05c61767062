-- accounts_after: the next accounts of a programme in a shard, in the order of their ids.
-- $1 shard      int          the shard of accounts
-- $2 tenant     text         whose they are
-- $3 programme  text         the programme
-- $4 after      uuid         the last account of those before
-- $5 until      timestamptz  only those who had joined by then
-- $6 most       int          how many at once
select account_id, member_id, enrolled_at, known
from participant
where shard = $1
  and tenant = $2
  and programme = $3
  and account_id > $4
  and enrolled_at < $5
order by account_id
limit $6;
