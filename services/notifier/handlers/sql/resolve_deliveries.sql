-- resolve_deliveries: what became of claimed messages; one that was claimed again meanwhile is left to its new sender.
-- $1 shard     int            the one shard
-- $2 ids       uuid[]
-- $3 claimed   int[]          the attempt number under which each was claimed
-- $4 states    text[]
-- $5 attempts  int[]
-- $6 due       timestamptz[]
-- $7 codes     text[]
-- $8 now       timestamptz
update delivery
set state = new.state, attempts = new.attempts, due_at = new.due_at, code = new.code, changed_at = $8
from unnest($2::uuid[], $3::int[], $4::text[], $5::int[], $6::timestamptz[], $7::text[])
    as new (delivery_id, claimed, state, attempts, due_at, code)
where delivery.shard = $1
  and delivery.delivery_id = new.delivery_id
  and delivery.state = 'sending'
  and delivery.attempts = new.claimed
returning delivery.delivery_id;
