-- swap_verdicts: put some records of commands right; what was asked and answered stays where it is known.
-- $1 shard  int  the shard
-- $2 rows   int  at most so many
with taken as (
    delete from wrong_movement
    where ctid = any(array(select ctid from wrong_movement limit $2))
    returning command_id
)

insert into movement as live (
    shard, command_id, account_id, type, verdict, code, request, answer, position, recorded_at
)
select
    $1::int,
    beside.command_id,
    beside.account_id,
    beside.type,
    beside.verdict,
    beside.code,
    beside.request,
    beside.answer,
    beside.position,
    beside.recorded_at
from taken
inner join beside_movement as beside using (command_id)
on conflict (shard, command_id) do update set
    account_id = excluded.account_id,
    verdict = excluded.verdict,
    code = excluded.code,
    answer = case when live.verdict = excluded.verdict then live.answer else excluded.answer end,
    position = excluded.position,
    recorded_at = excluded.recorded_at
