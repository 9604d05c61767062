-- change_asks: what returns make of asks.
-- $1 shard    int       the one shard of this transaction
-- $2 asks     uuid[]    one for each row, as all arrays
-- $3 remains  bigint[]  what the rest of the basket would ask for
-- $4 taken    bigint[]  what was reversed of what was granted
update budget_ask
set remains = changed.remains,
    taken = changed.taken
from (
    select unnest($2::uuid[]) as ask_id, unnest($3::bigint[]) as remains, unnest($4::bigint[]) as taken
) as changed
where budget_ask.shard = $1
  and budget_ask.ask_id = changed.ask_id;
