-- start_rehearsal: say that work on it has begun.
-- $1 shard      int          of its id
-- $2 rehearsal  uuid         its id
-- $3 now        timestamptz  the clock
update rehearsal
set state = 'running',
    started_at = coalesce(started_at, $3)
where shard = $1
  and rehearsal_id = $2
  and state = 'waiting';
