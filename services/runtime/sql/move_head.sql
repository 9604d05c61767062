-- move_head: say what the shard's log ends with; the last statement before the commit.
-- $1 shard       int          the one shard of this transaction
-- $2 head        bigint       the position of the last entry
-- $3 hash        bytea        the hash of the last entry
-- $4 recorded_at timestamptz  the instant of this transaction
update shard
set
    head = $2,
    hash = $3,
    recorded_at = $4
where shard = $1;
