-- unwaiting: commands of a shard that wait by their verdict, but are not kept.
-- $1 shard  int  the shard
select movement.command_id
from movement
where movement.shard = $1
  and movement.verdict = 'waiting'
  and not exists (
      select
      from waiting
      where waiting.shard = $1 and waiting.command_id = movement.command_id
  );
