-- add_rehearsal: ask for a rehearsal, unless it was asked for under this id before.
-- $1  shard        int          of its id
-- $2  rehearsal    uuid         its id
-- $3  tenant       text         whose it is
-- $4  programme    text         the programme's name
-- $5  fingerprint  bytea        of what was asked
-- $6  file         text         the programme file
-- $7  version      int          its number; null: it was sent with the question
-- $8  against      int          what it is compared with; null: what was decided live
-- $9  since        timestamptz  the period
-- $10 until        timestamptz  its end, left out
-- $11 asked_at     timestamptz  now
-- $12 asked_by     text         who asks
-- $13 parts        int[]        the shards of accounts
with asked as (
    insert into rehearsal (
        shard, rehearsal_id, tenant, programme, fingerprint, state, file, version, against, since, until, asked_at,
        asked_by
    )
    values ($1, $2, $3, $4, $5, 'waiting', $6, $7, $8, $9, $10, $11, $12)
    on conflict do nothing
    returning shard, rehearsal_id
)
insert into rehearsal_part (shard, rehearsal_id, part, decisions)
select asked.shard, asked.rehearsal_id, part, 0
from asked
cross join unnest($13::int[]) as part;
