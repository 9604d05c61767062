-- find_unclaimed: what was kept and can no longer be claimed, the longest ago first.
-- $1 shard  int          the shard to look at
-- $2 until  timestamptz  it could be claimed until before this
-- $3 most   int          how many at once
select subject_key
from kept
where shard = $1
  and kept_until <= $2
order by kept_until
limit $3;
