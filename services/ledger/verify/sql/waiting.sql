-- waiting: commands of a shard that are kept until another comes, with their verdict and that of the other.
-- $1 shard  int  the shard
select
    waiting.command_id,
    waiting.awaited_id,
    waiting.account_id,
    waiting.content,
    waiting.recorded_at,
    movement.verdict,
    movement.account_id as decided_on,
    movement.type,
    movement.recorded_at as decided_at,
    awaited.verdict as awaited_verdict
from waiting
left join movement on movement.shard = $1 and movement.command_id = waiting.command_id
left join movement as awaited on awaited.shard = $1 and awaited.command_id = waiting.awaited_id
where waiting.shard = $1;
