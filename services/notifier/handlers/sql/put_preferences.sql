-- put_preferences: keep what a member wants to hear, and in which language.
-- $1 shard          int          the member's shard
-- $2 tenant         text
-- $3 member         uuid
-- $4 language       text         null: as the programme or the service says
-- $5 email_allowed  bool
-- $6 muted          text[]       kinds of message
-- $7 now            timestamptz
insert into recipient (shard, tenant, member_id, language, email_allowed, muted, changed_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (shard, tenant, member_id) do update
set language = excluded.language,
    email_allowed = excluded.email_allowed,
    muted = excluded.muted,
    changed_at = excluded.changed_at;
