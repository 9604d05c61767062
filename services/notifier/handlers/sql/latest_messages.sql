-- latest_messages: what was last told to a member, newest first.
-- $1 shard      int     the member's shard
-- $2 tenant     text
-- $3 member     uuid
-- $4 templates  text[]  of these kinds alone
-- $5 limit      int
select template, programme, facts, created_at
from delivery
where shard = $1
  and tenant = $2
  and member_id = $3
  and template = any($4::text[])
order by created_at desc, delivery_id desc
limit $5;
