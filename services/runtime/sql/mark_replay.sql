-- mark_replay: note that a message is on its way back to its topic, or arrived there; by whom, when and with what body.
-- $1 shard          int          its shard
-- $2 dead_letter_id uuid         its id
-- $3 state          text         replaying, then replayed
-- $4 replayed_at    timestamptz  when
-- $5 replayed_by    text         who
-- $6 replacement    bytea        the mended body, sealed as the first, or null for the same
update dead_letter
set
    state = $3,
    replayed_at = $4,
    replayed_by = $5,
    replacement = $6
where shard = $1
  and dead_letter_id = $2;
