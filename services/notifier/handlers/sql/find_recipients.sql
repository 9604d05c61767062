-- find_recipients: members as far as they can be told something.
-- $1 shard    int     the one shard
-- $2 members  uuid[]  members, of any tenant
select tenant, member_id, contact, language, email_allowed, muted, undeliverable_since, undeliverable_code
from recipient
where shard = $1
  and member_id = any($2::uuid[]);
