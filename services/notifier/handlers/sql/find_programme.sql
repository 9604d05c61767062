-- find_programme: the published versions of a programme.
-- $1 shard      int   the programme's shard
-- $2 tenant     text
-- $3 programme  text
select versions
from programme
where shard = $1
  and tenant = $2
  and programme = $3;
