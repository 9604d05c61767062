-- drop_empty_totals: remove totals of days on which nothing moved, as the log says.
-- $1 shard  int  the shard
delete from daily_total
where shard = $1 and movements = 0
