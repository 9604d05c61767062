-- keep_programmes: the newest revision of each programme.
-- $1 shard       int          the one shard of this transaction
-- $2 tenants     text[]       whose
-- $3 programmes  text[]       by name
-- $4 revisions   bigint[]     the more, the newer
-- $5 states      text[]       contracts.programmes.ProgrammeState as JSON
-- $6 recorded_at timestamptz  the transaction's clock
insert into programme (shard, tenant, programme, revision, state, recorded_at)
select
    $1::int,
    published.tenant,
    published.programme,
    published.revision,
    published.state::json,
    $6::timestamptz
from unnest($2::text[], $3::text[], $4::bigint[], $5::text[]) as published (tenant, programme, revision, state)
on conflict (shard, tenant, programme) do update set
    revision = excluded.revision,
    state = excluded.state,
    recorded_at = excluded.recorded_at
where programme.revision < excluded.revision;
