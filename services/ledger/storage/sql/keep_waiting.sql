-- keep_waiting: commands that came before another that they are about.
-- $1 waiting  json  the commands, as they came
insert into waiting (shard, awaited_id, command_id, account_id, content, recorded_at)
select row.*
from json_to_recordset($1::json) as row (
    shard int, awaited_id uuid, command_id uuid, account_id uuid, content json, recorded_at timestamptz
)
on conflict (shard, awaited_id, command_id) do nothing;
