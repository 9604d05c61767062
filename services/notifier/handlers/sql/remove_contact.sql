-- remove_contact: forget how a member is reached; his preferences stay.
-- $1 shard   int          the member's shard
-- $2 tenant  text
-- $3 member  uuid
-- $4 now     timestamptz
update recipient
set contact = null, undeliverable_since = null, undeliverable_code = null, changed_at = $4
where shard = $1
  and tenant = $2
  and member_id = $3;
