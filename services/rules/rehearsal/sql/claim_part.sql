-- claim_part: take a part on which nobody works, or no longer; none: all are done or in somebody's hands.
-- $1 shard      int          of the rehearsal
-- $2 rehearsal  uuid         its id
-- $3 now        timestamptz  the clock
-- $4 until      timestamptz  until when it is this worker's, unless it says so again
update rehearsal_part
set lease_until = $4
where shard = $1
  and rehearsal_id = $2
  and part = (
      select part
      from rehearsal_part
      where shard = $1
        and rehearsal_id = $2
        and tally is null
        and (lease_until is null or lease_until <= $3)
      order by part
      limit 1
      for update skip locked
  )
returning part;
