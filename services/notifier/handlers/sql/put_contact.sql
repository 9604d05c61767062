-- put_contact: keep how a member is reached; an address that was refused before does not speak against the new one.
-- $1 shard    int          the member's shard
-- $2 tenant   text
-- $3 member   uuid
-- $4 contact  bytea        encrypted
-- $5 now      timestamptz
insert into recipient (shard, tenant, member_id, contact, changed_at)
values ($1, $2, $3, $4, $5)
on conflict (shard, tenant, member_id) do update
set contact = excluded.contact,
    undeliverable_since = null,
    undeliverable_code = null,
    changed_at = excluded.changed_at;
