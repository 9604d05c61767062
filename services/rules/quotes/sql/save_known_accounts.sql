-- save_known_accounts: what is known of accounts from now on.
-- $1 shard        int          the one shard of this transaction
-- $2 accounts     uuid[]       one for each row, as all arrays
-- $3 versions     bigint[]     their versions in the books
-- $4 states       bytea[]      what is known
-- $5 recorded_at  timestamptz  now
insert into known_account (shard, account_id, version, state, recorded_at)
select $1::int, account_id, version, state, $5::timestamptz
from unnest($2::uuid[], $3::bigint[], $4::bytea[]) as new (account_id, version, state)
on conflict (shard, account_id) do update
set version = excluded.version,
    state = excluded.state,
    recorded_at = excluded.recorded_at;
