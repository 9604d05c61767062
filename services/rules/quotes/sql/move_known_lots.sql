-- move_known_lots: points that came to lots, or went from them; lots that are not kept are passed over.
-- $1 shard      int       the one shard of this transaction
-- $2 accounts   uuid[]    one for each row, as all arrays
-- $3 lots       uuid[]    the lots, each once
-- $4 pending    bigint[]  points that came, or went, by bucket
-- $5 available  bigint[]  as pending
-- $6 held       bigint[]  as pending
update known_lot
set pending = known_lot.pending + moved.pending,
    available = known_lot.available + moved.available,
    held = known_lot.held + moved.held
from (
    select unnest($2::uuid[]) as account_id, unnest($3::uuid[]) as lot_id, unnest($4::bigint[]) as pending,
        unnest($5::bigint[]) as available, unnest($6::bigint[]) as held
) as moved
where known_lot.shard = $1
  and known_lot.account_id = moved.account_id
  and known_lot.lot_id = moved.lot_id;
