-- find_standings: a member's accounts as they stood after their newest known events.
-- $1 shard   int   the member's shard
-- $2 tenant  text
-- $3 member  uuid
select programme, balances, tier, as_of
from standing
where shard = $1
  and tenant = $2
  and member_id = $3
  and is_open
order by programme, account_id;
