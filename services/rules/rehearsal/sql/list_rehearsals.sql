-- list_rehearsals: the rehearsals of a tenant, the latest asked for first, without their files and reports.
-- $1 tenant     text         whose they are
-- $2 programme  text         of this programme alone; null: of all
-- $3 asked_at   timestamptz  of the last one that was shown
-- $4 rehearsal  uuid         its id
-- $5 most       int          how many at most
select
    rehearsal.shard, rehearsal.rehearsal_id, rehearsal.tenant, rehearsal.programme, '' as file, rehearsal.version,
    rehearsal.against, rehearsal.since, rehearsal.until, rehearsal.fingerprint, rehearsal.state, rehearsal.asked_at,
    rehearsal.asked_by, rehearsal.started_at, rehearsal.ended_at, rehearsal.error, null::bytea as report,
    progress.parts, progress.parts_done, progress.decisions
from rehearsal
cross join lateral (
    select count(*) as parts, count(tally) as parts_done, coalesce(sum(rehearsal_part.decisions), 0)::bigint as decisions
    from rehearsal_part
    where rehearsal_part.shard = rehearsal.shard
      and rehearsal_part.rehearsal_id = rehearsal.rehearsal_id
) as progress
where rehearsal.tenant = $1
  and ($2::text is null or rehearsal.programme = $2)
  and (rehearsal.asked_at, rehearsal.rehearsal_id) < ($3::timestamptz, $4::uuid)
order by rehearsal.asked_at desc, rehearsal.rehearsal_id desc
limit $5;
