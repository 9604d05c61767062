-- find_tiers_due: participants whose tier must be looked at, the longest due first.
-- $1 shard  int          the shard to look at
-- $2 until  timestamptz  due by then, and nothing decided since
-- $3 most   int          how many at once
select account_id, member_id, tenant, programme
from participant
where shard = $1
  and tier_due_at <= $2
  and recorded_at <= $2
order by tier_due_at
limit $3;
