-- bury_keys: the keys of subjects in one shard are destroyed, and where there was none, none will be made.
-- $1 shard     int     the one shard of this transaction
-- $2 subjects  uuid[]  those who are to be forgotten
insert into data_key (shard, subject, master, wrapped, destroyed_at)
select
    $1::int,
    subject,
    '',
    null,
    now()
from unnest($2::uuid[]) as forgotten (subject)
on conflict (shard, subject) do update set
    wrapped = null,
    destroyed_at = now()
where data_key.wrapped is not null;
