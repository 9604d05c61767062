-- keep_part: what a part came to; done twice, it came to the same.
-- $1 shard      int     of the rehearsal
-- $2 rehearsal  uuid    its id
-- $3 part       int     the part
-- $4 decisions  bigint  how many were decided again
-- $5 tally      bytea   JSON
update rehearsal_part
set tally = $5,
    decisions = $4,
    lease_until = null
where shard = $1
  and rehearsal_id = $2
  and part = $3
  and tally is null;
