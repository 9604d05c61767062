-- holdings_of_account: every identifier that buys, or bought, for an account.
-- $1 shards      int[]  all shards
-- $2 tenant      text
-- $3 account_id  uuid
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
  and account_id = $3
  and tenant = $2
order by since, shard, identifier;
