-- destroy_keys: forget the keys of subjects for ever; the row stays, so that no new key is made.
-- $1 shards    int[]   all shards
-- $2 subjects  uuid[]  members, or purchases whose member is unknown
update data_key
set wrapped = null, destroyed_at = now()
where shard = any($1::int[])
  and subject = any($2::uuid[])
  and wrapped is not null
returning shard, subject;
