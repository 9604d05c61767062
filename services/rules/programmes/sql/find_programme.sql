-- find_programme: a programme as it is; read under the shard row when it is to be changed.
-- $1 shard      int   the programme's shard
-- $2 tenant     text  whose it is
-- $3 programme  text  its name
select revision, suspensions
from programme
where shard = $1
  and tenant = $2
  and programme = $3;
