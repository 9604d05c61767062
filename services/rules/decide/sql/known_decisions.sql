-- known_decisions: which of these decisions were taken before; read under the shard row.
-- $1 shard      int     the one shard of this transaction
-- $2 decisions  uuid[]  what the messages of the batch would be
select decision_id
from decision
where shard = $1
  and decision_id = any($2::uuid[]);
