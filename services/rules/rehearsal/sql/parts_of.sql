-- parts_of: what the parts of a rehearsal came to; null: not done yet.
-- $1 shard      int   of the rehearsal
-- $2 rehearsal  uuid  its id
select part, tally
from rehearsal_part
where shard = $1
  and rehearsal_id = $2
order by part;
