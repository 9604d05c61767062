-- keep_answers: keep what was answered under idempotency keys, in the transaction of what was done.
-- $1 shard        int          the one shard of this transaction
-- $2 scopes       text[]       tenant, caller and route of each
-- $3 keys         text[]       their keys
-- $4 fingerprints bytea[]      SHA-256 of their contents
-- $5 statuses     int[]        HTTP statuses
-- $6 answers      bytea[]      bodies
-- $7 recorded_at  timestamptz  when
insert into idempotency_key (shard, recorded_at, scope, key, fingerprint, status, answer)
select
    $1::int,
    $7::timestamptz,
    kept.*
from unnest($2::text[], $3::text[], $4::bytea[], $5::int[], $6::bytea[]) as kept;
