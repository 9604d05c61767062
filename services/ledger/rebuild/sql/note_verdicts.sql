-- note_verdicts: which commands' records are missing, or say something else than the log.
-- $1 shard  int     the shard
-- $2 after  bigint  of events after this position
insert into wrong_movement
select beside.command_id
from beside_movement as beside
left join movement as live on live.shard = $1 and live.command_id = beside.command_id
where beside.position > $2
  and (live.account_id, live.verdict, live.code, live.position, live.recorded_at)
      is distinct from (beside.account_id, beside.verdict, beside.code, beside.position, beside.recorded_at)
