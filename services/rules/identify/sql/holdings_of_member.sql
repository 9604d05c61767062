-- holdings_of_member: every identifier that a member holds or held.
-- $1 shards     int[]  all shards
-- $2 tenant     text
-- $3 member_id  uuid
select
    shard,
    identifier,
    tenant,
    programme,
    since,
    account_id,
    member_id,
    card_category,
    origin,
    blocked_since,
    name
from holding
where shard = any($1::int[])
  and member_id = $3
  and tenant = $2
order by since, programme, shard;
