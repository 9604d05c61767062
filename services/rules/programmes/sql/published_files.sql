-- published_files: the published versions of a programme that are not known yet.
-- $1 shard      int    the programme's shard
-- $2 tenant     text   whose it is
-- $3 programme  text   its name
-- $4 known      int[]  the versions that are known
select version, starts_at, content_hash, file
from programme_version
where shard = $1
  and tenant = $2
  and programme = $3
  and state = 'published'
  and version <> all($4::int[])
order by starts_at, version;
