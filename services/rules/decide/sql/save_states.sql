-- save_states: participants whose counters were given back.
-- $1 shard     int      the one shard of this transaction
-- $2 accounts  uuid[]   one for each row, as all arrays
-- $3 states    bytea[]  what decides
update participant
set state = new.state
from (select unnest($2::uuid[]) as account_id, unnest($3::bytea[]) as state) as new
where participant.shard = $1
  and participant.account_id = new.account_id;
