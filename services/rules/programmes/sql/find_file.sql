-- find_file: one version with its file.
-- $1 shard      int   the programme's shard
-- $2 tenant     text  whose it is
-- $3 programme  text  its name
-- $4 version    int   its number
select version, state, content_hash, drafted_at, drafted_by, starts_at, published_at, published_by, file
from programme_version
where shard = $1
  and tenant = $2
  and programme = $3
  and version = $4;
