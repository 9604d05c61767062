-- decision_for_people: one decision with everything that is known of it, wherever its account is.
-- $1 shards    int[]  all shards
-- $2 decision  uuid   the decision
-- $3 tenant    text   whose it must be
select decision.shard, decision.decision_id, decision.account_id, decision.number, decision.kind, decision.cause_key,
    decision.cause_id, decision.of_decision_id, decision.occurred_at, decision.decided_at, decision.programme_version,
    decision.reason, decision.qualifying, decision.spend, decision.record, decision.inputs, participant.programme,
    decision.member_id
from decision
join participant
    on participant.shard = decision.shard
    and participant.account_id = decision.account_id
where decision.shard = any($1::int[])
  and decision.decision_id = $2
  and participant.tenant = $3;
