-- lease_part: say that a part is still worked on, or (null) that it is not.
-- $1 shard      int          of the rehearsal
-- $2 rehearsal  uuid         its id
-- $3 part       int          the part
-- $4 until      timestamptz  until when; null: whoever wants may have it
update rehearsal_part
set lease_until = $4
where shard = $1
  and rehearsal_id = $2
  and part = $3
  and tally is null;
