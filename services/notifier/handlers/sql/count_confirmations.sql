-- count_confirmations: how many codes were made for a member lately.
-- $1 shard   int          the member's shard
-- $2 tenant  text
-- $3 member  uuid
-- $4 since   timestamptz
select count(*)
from confirmation
where shard = $1
  and tenant = $2
  and member_id = $3
  and created_at > $4;
