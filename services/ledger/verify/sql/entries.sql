-- entries: statement lines of a shard, in the order of the log.
-- $1 shard  int     the shard
-- $2 after  bigint  lines of events up to this position are left out
-- $3 until  bigint  the last position
-- $4 part   int     only accounts whose id, by its last two bytes, falls into this part
-- $5 parts  int     of so many
select
    position,
    currency,
    account_id,
    known_at,
    version,
    type,
    effective_at,
    recorded_at,
    scale,
    issued,
    adjusted,
    transferred_in,
    transferred_out,
    pending,
    available,
    held,
    in_transit,
    redeemed,
    expired,
    reversed,
    debt,
    pending_after,
    available_after,
    held_after,
    transit_after,
    debt_after,
    why
from entry
where shard = $1
  and position > $2
  and position <= $3
  and ($5 = 1 or ('x' || right(account_id::text, 4))::bit(16)::int % $5 = $4)
order by position, currency collate "C";
