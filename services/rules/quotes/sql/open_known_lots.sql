-- open_known_lots: lots that are new, or whose terms changed; what is known of one is added to.
-- $1 shard      int            the one shard of this transaction
-- $2 accounts   uuid[]         one for each row, as all arrays
-- $3 lots       uuid[]         the lots, each once
-- $4 currency   text[]         their currencies
-- $5 pending    bigint[]       points that came, or went, by bucket
-- $6 available  bigint[]       as pending
-- $7 held       bigint[]       as pending
-- $8 activates  timestamptz[]  from when they count; null: at once
-- $9 expires    timestamptz[]  until when; null: for ever
insert into known_lot (
    shard, account_id, lot_id, currency, pending, available, held, activates_at, expires_at
)
select $1::int, account_id, lot_id, currency, pending, available, held, activates_at, expires_at
from unnest(
    $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::timestamptz[], $9::timestamptz[]
) as new (account_id, lot_id, currency, pending, available, held, activates_at, expires_at)
on conflict (shard, account_id, lot_id) do update
set pending = known_lot.pending + excluded.pending,
    available = known_lot.available + excluded.available,
    held = known_lot.held + excluded.held,
    expires_at = excluded.expires_at;
