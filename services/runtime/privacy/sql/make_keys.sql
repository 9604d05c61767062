-- make_keys: keep new keys of subjects, wrapped; read under the shard row before, so none of them is there.
-- $1 shard     int      the one shard of this transaction
-- $2 subjects  uuid[]   members, or purchases whose member is unknown
-- $3 master    text     the name of the master key that wrapped them
-- $4 wrapped   bytea[]  one for each subject
insert into data_key (shard, subject, master, wrapped)
select $1::int, subject, $3::text, wrapped
from unnest($2::uuid[], $4::bytea[]) as new (subject, wrapped);
