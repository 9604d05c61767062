-- decisions_of: decisions, and those that took something of them back, for people; oldest first.
-- $1 shards     int[]   where their accounts are
-- $2 decisions  uuid[]  the decisions
select decision_id, of_decision_id, number, kind, cause_key, reason, programme_version, record
from decision
where shard = any($1::int[])
  and (decision_id = any($2::uuid[]) or of_decision_id = any($2::uuid[]))
order by number;
