-- take_known_shard: hold the row of a shard to the end of the transaction, if it is as this process left it; no row: not so.
-- $1 shard       int          the one shard of this transaction
-- $2 head        bigint       the position of the last entry, as remembered
-- $3 hash        bytea        the hash of the last entry, as remembered
-- $4 recorded_at timestamptz  the instant of the last transaction, as remembered
select
from shard
where shard = $1
  and head = $2
  and hash = $3
  and recorded_at = $4
for no key update;
