-- claim_key: put an Idempotency-Key down for a request, unless it stands there already.
-- $1 shard        int          of the key itself: what the request changes may lie in several shards
-- $2 scope        text         tenant, caller and route
-- $3 key          text
-- $4 fingerprint  bytea        of the request's content
-- $5 recorded_at  timestamptz  now
insert into idempotency_key (shard, scope, key, fingerprint, status, answer, recorded_at)
values ($1, $2, $3, $4, 202, '', $5)
on conflict (shard, scope, key) do nothing
returning fingerprint;
