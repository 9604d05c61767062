-- find_due: participants that must be looked at: a tier ends, or it is a birthday, the longest due first.
-- $1 shard  int          the shard to look at
-- $2 until  timestamptz  due by then
-- $3 most   int          how many at once
-- $4 quiet  timestamptz  nothing was decided on them since then
select account_id, member_id, tenant, programme
from participant
where shard = $1
  and due_at <= $2
  and decided_at <= $4
order by due_at
limit $3;
