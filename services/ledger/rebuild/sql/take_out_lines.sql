-- take_out_lines: remove the chosen lines as they stand.
-- $1 shard  int  the shard
delete from entry as live
using chosen_entry as chosen
where live.shard = $1
  and live.account_id = chosen.account_id
  and live.known_at = chosen.known_at
  and live.version = chosen.version
  and live.currency = chosen.currency
