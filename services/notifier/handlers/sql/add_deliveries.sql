-- add_deliveries: messages to send; one that was made before of the same event and channel is left as it is.
-- $1 shard         int          the members' shard
-- $2 ids           uuid[]       derived from event and channel
-- $3 tenants       text[]
-- $4 members       uuid[]
-- $5 accounts      uuid[]
-- $6 programmes    text[]
-- $7 events        text[]       ids of the events told
-- $8 templates     text[]
-- $9 channels      text[]
-- $10 languages    text[]
-- $11 facts        jsonb[]
-- $12 traceparents text[]
-- $13 now          timestamptz
insert into delivery (
    shard, delivery_id, tenant, member_id, account_id, programme, event_id, template, channel, language, facts,
    traceparent, due_at, created_at, changed_at
)
select $1::int, new.*, $13::timestamptz, $13::timestamptz, $13::timestamptz
from unnest(
    $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
    $11::jsonb[], $12::text[]
) as new
on conflict (shard, delivery_id) do nothing
returning delivery_id;
