-- save_programme: a programme as it is from now on.
-- $1 shard        int          the programme's shard
-- $2 tenant       text         whose it is
-- $3 programme    text         its name
-- $4 revision     int          counts what was published
-- $5 suspensions  text         JSON: when it stands still
-- $6 recorded_at  timestamptz  now
insert into programme (shard, tenant, programme, revision, suspensions, recorded_at)
values ($1, $2, $3, $4, $5::text::jsonb, $6)
on conflict (shard, tenant, programme) do update
set revision = excluded.revision,
    suspensions = excluded.suspensions,
    recorded_at = excluded.recorded_at;
