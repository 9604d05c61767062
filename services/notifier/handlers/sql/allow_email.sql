-- allow_email: a member ends his mail by its link, or has it come again; his other wishes stay.
-- $1 shard    int          the member's shard
-- $2 tenant   text
-- $3 member   uuid
-- $4 allowed  bool
-- $5 now      timestamptz
insert into recipient (shard, tenant, member_id, email_allowed, changed_at)
values ($1, $2, $3, $4, $5)
on conflict (shard, tenant, member_id) do update
set email_allowed = excluded.email_allowed, changed_at = excluded.changed_at;
