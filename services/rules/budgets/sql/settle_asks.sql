-- settle_asks: put down what was granted of asks.
-- $1 shard       int          the one shard of this transaction, of the accounts
-- $2 asks        uuid[]       one for each row, as all arrays
-- $3 granted     bigint[]     what was granted
-- $4 taken       bigint[]     what of it was reversed
-- $5 granted_at  timestamptz  now
update budget_ask
set granted = answered.granted,
    taken = answered.taken,
    granted_at = $5
from (
    select unnest($2::uuid[]) as ask_id, unnest($3::bigint[]) as granted, unnest($4::bigint[]) as taken
) as answered
where budget_ask.shard = $1
  and budget_ask.ask_id = answered.ask_id;
