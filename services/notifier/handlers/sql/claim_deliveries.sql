-- claim_deliveries: take what is due, and what a lost sender had taken; until the lease ends nobody else does.
-- $1 shard  int          the one shard
-- $2 now    timestamptz
-- $3 lease  timestamptz  when this sender counts as lost
-- $4 limit  int
update delivery
set state = 'sending', attempts = attempts + 1, due_at = $3, changed_at = $2
where shard = $1
  and delivery_id = any(array(
      select due.delivery_id
      from delivery as due
      where due.shard = $1
        and due.state in ('waiting', 'sending')
        and due.due_at <= $2
      order by due.due_at, due.delivery_id
      limit $4
  ))
returning
    delivery_id, tenant, member_id, account_id, programme, event_id, template, channel, language, facts, attempts,
    traceparent;
