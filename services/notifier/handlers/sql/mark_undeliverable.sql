-- mark_undeliverable: addresses that were refused for good are not tried again until they are changed.
-- $1 shard    int          the members' shard
-- $2 tenants  text[]       one for each member
-- $3 members  uuid[]
-- $4 codes    text[]
-- $5 now      timestamptz
update recipient
set undeliverable_since = $5, undeliverable_code = bad.code
from unnest($2::text[], $3::uuid[], $4::text[]) as bad (tenant, member_id, code)
where recipient.shard = $1
  and recipient.tenant = bad.tenant
  and recipient.member_id = bad.member_id
  and recipient.undeliverable_since is null
  and recipient.contact is not null;
