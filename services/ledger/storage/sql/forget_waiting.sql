-- forget_waiting: commands that have been decided wait no more.
-- $1 shard     int     the one shard of this transaction
-- $2 commands  uuid[]  the commands that waited
delete from waiting
where shard = $1 and command_id = any($2::uuid[]);
