-- find_rehearsal: one rehearsal, and how far it has come.
-- $1 shard      int   of its id
-- $2 rehearsal  uuid  its id
-- $3 tenant     text  whose it must be
select rehearsal.*, progress.parts, progress.parts_done, progress.decisions
from rehearsal
cross join lateral (
    select count(*) as parts, count(tally) as parts_done, coalesce(sum(rehearsal_part.decisions), 0)::bigint as decisions
    from rehearsal_part
    where rehearsal_part.shard = rehearsal.shard
      and rehearsal_part.rehearsal_id = rehearsal.rehearsal_id
) as progress
where rehearsal.shard = $1
  and rehearsal.rehearsal_id = $2
  and rehearsal.tenant = $3;
