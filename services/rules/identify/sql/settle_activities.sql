-- settle_activities: the verdict on activities and facts that waited.
-- $1 shard       int     the one shard of this transaction
-- $2 keys        uuid[]  of the activities
-- $3 verdict     text    the same for all of them
-- $4 account_id  uuid    null where nothing comes of them
-- $5 member_id   uuid    null where nothing comes of them
update activity
set verdict = $3, account_id = $4, member_id = $5
where shard = $1
  and activity_key = any($2::uuid[]);
