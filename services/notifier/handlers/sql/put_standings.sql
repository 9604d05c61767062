-- put_standings: keep what accounts came to, of members who can be told; an older event that comes later changes nothing.
-- $1 shard       int            the members' shard
-- $2 tenants     text[]         one for each account
-- $3 members     uuid[]
-- $4 accounts    uuid[]
-- $5 programmes  text[]
-- $6 versions    bigint[]       of the accounts
-- $7 balances    jsonb[]        of the currencies that changed
-- $8 tiers       text[]         null: not changed; empty: none
-- $9 open        bool[]
-- $10 as_of      timestamptz[]
insert into standing (shard, tenant, member_id, account_id, programme, version, balances, tier, is_open, as_of)
select
    $1::int, new.tenant, new.member_id, new.account_id, new.programme, new.version, new.balances, new.tier, new.is_open,
    new.as_of
from unnest(
    $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::jsonb[], $8::text[], $9::bool[],
    $10::timestamptz[]
) as new (tenant, member_id, account_id, programme, version, balances, tier, is_open, as_of)
join recipient
  on recipient.shard = $1
 and recipient.tenant = new.tenant
 and recipient.member_id = new.member_id
on conflict (shard, tenant, member_id, account_id) do update
set version = excluded.version,
    balances = standing.balances || excluded.balances,
    tier = coalesce(excluded.tier, standing.tier),
    is_open = excluded.is_open,
    as_of = excluded.as_of
where standing.version < excluded.version;
