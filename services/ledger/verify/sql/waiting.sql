-- waiting: commands of a shard that are kept though nothing says that they wait, or whose awaited command has come.
-- $1 shard  int  the shard
select
    waiting.command_id,
    waiting.awaited_id,
    movement.verdict,
    awaited.verdict as awaited_verdict
from waiting
left join movement on movement.shard = $1 and movement.command_id = waiting.command_id
left join movement as awaited on awaited.shard = $1 and awaited.command_id = waiting.awaited_id
where waiting.shard = $1 and (movement.verdict is distinct from 'waiting' or awaited.verdict <> 'waiting');
