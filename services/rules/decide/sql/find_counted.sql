-- find_counted: what decisions counted, with the state of their participants; read under the shard row.
-- $1 shard      int     the one shard of this transaction
-- $2 decisions  uuid[]  decisions whose award was refused
select decision.decision_id, decision.account_id, decision.record, participant.state
from decision
join participant
    on participant.shard = decision.shard
    and participant.account_id = decision.account_id
where decision.shard = $1
  and decision.decision_id = any($2::uuid[]);
