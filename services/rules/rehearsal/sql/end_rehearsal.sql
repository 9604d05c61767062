-- end_rehearsal: what a rehearsal came to, or why it failed; the first to say so is believed.
-- $1 shard      int          of its id
-- $2 rehearsal  uuid         its id
-- $3 now        timestamptz  the clock
-- $4 report     bytea        JSON; null: it failed
-- $5 error      text         why; null: it did not
update rehearsal
set state = case when $4::bytea is null then 'failed' else 'done' end,
    report = $4,
    error = $5,
    ended_at = $3
where shard = $1
  and rehearsal_id = $2
  and state in ('waiting', 'running')
returning started_at;
