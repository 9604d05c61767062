-- bounce_delivery: a mail system took the message and gave it back later.
-- $1 shard     int          the delivery's shard
-- $2 tenant    text
-- $3 delivery  uuid
-- $4 code      text         enhanced status code, such as 5.1.1
-- $5 now       timestamptz
update delivery
set state = 'bounced', code = $4, changed_at = $5
where shard = $1
  and tenant = $2
  and delivery_id = $3
  and state in ('sending', 'sent', 'bounced')
returning
    delivery_id, tenant, member_id, account_id, programme, event_id, template, channel, language, attempts, traceparent;
