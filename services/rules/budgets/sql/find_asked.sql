-- find_asked: asks of accounts with the state of their participants; read under the shard row.
-- $1 shard  int     the one shard of this transaction, of the accounts
-- $2 asks   uuid[]  the asks that were answered
select budget_ask.ask_id, budget_ask.account_id, budget_ask.rule, budget_ask.partner, budget_ask.currency,
    budget_ask.asked, budget_ask.counted, budget_ask.award, budget_ask.remains, budget_ask.granted, budget_ask.taken,
    participant.state
from budget_ask
join participant
    on participant.shard = budget_ask.shard
    and participant.account_id = budget_ask.account_id
where budget_ask.shard = $1
  and budget_ask.ask_id = any($2::uuid[]);
