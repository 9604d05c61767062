-- find_versions: the versions of a programme, without their files.
-- $1 shard      int   the programme's shard
-- $2 tenant     text  whose it is
-- $3 programme  text  its name
select version, state, content_hash, drafted_at, drafted_by, starts_at, published_at, published_by
from programme_version
where shard = $1
  and tenant = $2
  and programme = $3
order by version;
