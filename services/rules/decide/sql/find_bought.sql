-- find_bought: decisions on purchases that are taken back, and the decisions that took some of them back before.
-- $1 shard      int     the one shard of this transaction
-- $2 decisions  uuid[]  the decisions on the purchases
select decision_id, account_id, member_id, number, kind, cause_key, cause_id, of_decision_id, occurred_at, qualifying, spend,
    purchases, programme_version, record, inputs
from decision
where shard = $1
  and (decision_id = any($2::uuid[]) or of_decision_id = any($2::uuid[]))
order by number;
