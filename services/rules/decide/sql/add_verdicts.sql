-- add_verdicts: keep what the ledger answered to commands, and say which answers are new; a known one stays.
-- $1 shard        int          the one shard of this transaction
-- $2 commands     uuid[]       the commands
-- $3 codes        text[]       why each was refused; null: it was booked
-- $4 recorded_at  timestamptz  now
insert into command_verdict (shard, command_id, code, recorded_at)
select $1::int, command_id, code, $4::timestamptz
from unnest($2::uuid[], $3::text[]) as new (command_id, code)
on conflict do nothing
returning command_id;
