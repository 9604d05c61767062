-- find_received: awards by somebody else's purchases, and the decisions that took some of them back before.
-- $1 shard      int     the one shard of this transaction
-- $2 decisions  uuid[]  the decisions on the awards
select decision_id, member_id, of_decision_id, programme_version, record
from decision
where shard = $1
  and (decision_id = any($2::uuid[]) or of_decision_id = any($2::uuid[]))
order by number;
