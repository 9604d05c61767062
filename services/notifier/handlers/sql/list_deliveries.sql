-- list_deliveries: a member's messages, newest first.
-- $1 shard   int          the member's shard
-- $2 tenant  text
-- $3 member  uuid
-- $4 before  timestamptz  of the last message of the page before; null: from the newest
-- $5 last    uuid         its id
-- $6 limit   int
select
    delivery_id, account_id, programme, event_id, template, channel, language, state, attempts, code, created_at,
    changed_at
from delivery
where shard = $1
  and tenant = $2
  and member_id = $3
  and ($4::timestamptz is null or (created_at, delivery_id) < ($4::timestamptz, $5::uuid))
order by created_at desc, delivery_id desc
limit $6;
