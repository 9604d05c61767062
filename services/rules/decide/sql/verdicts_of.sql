-- verdicts_of: what the ledger answered to commands.
-- $1 shards    int[]   where their accounts are
-- $2 commands  uuid[]  the commands
select command_id, code
from command_verdict
where shard = any($1::int[])
  and command_id = any($2::uuid[]);
