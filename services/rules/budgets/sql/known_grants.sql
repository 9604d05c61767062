-- known_grants: which of these asks were answered before; read under the shard row.
-- $1 shard  int     the one shard of this transaction, the campaigns' home
-- $2 asks   uuid[]  the asks of the batch
select ask_id
from budget_grant
where shard = $1
  and ask_id = any($2::uuid[]);
