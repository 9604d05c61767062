-- put_programmes: keep the newest state of programmes; an older one that comes again changes nothing.
-- $1 shard       int      the programmes' shard
-- $2 tenants     text[]   one for each programme
-- $3 programmes  text[]
-- $4 revisions   int[]
-- $5 versions    jsonb[]  as published
insert into programme (shard, tenant, programme, revision, versions)
select $1::int, new.tenant, new.programme, new.revision, new.versions
from unnest($2::text[], $3::text[], $4::int[], $5::jsonb[]) as new (tenant, programme, revision, versions)
on conflict (shard, tenant, programme) do update
set revision = excluded.revision, versions = excluded.versions
where programme.revision < excluded.revision;
