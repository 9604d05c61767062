-- movements: verdicts of a shard, in the order of the log.
-- $1 shard  int     the shard
-- $2 after  bigint  verdicts up to this position are left out
-- $3 until  bigint  the last position
select
    position,
    command_id,
    account_id,
    verdict,
    code,
    recorded_at,
    answer,
    request,
    type
from movement
where shard = $1 and position > $2 and position <= $3
order by position, command_id;
