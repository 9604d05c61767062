-- add_grants: put down what was granted, ask by ask.
-- $1 shard       int          the one shard of this transaction, the campaigns' home
-- $2 asks        uuid[]       one for each row, as all arrays
-- $3 tenants     text[]       whose campaigns
-- $4 programmes  text[]       their programmes
-- $5 campaigns   text[]       the campaigns
-- $6 accounts    uuid[]       who asked
-- $7 decisions   uuid[]       by which decision
-- $8 asked       bigint[]     what was asked for
-- $9 granted     bigint[]     what was granted
-- $10 granted_at timestamptz  now
insert into budget_grant (
    shard, ask_id, tenant, programme, campaign, account_id, decision_id, asked, granted, granted_at
)
select $1::int, ask_id, tenant, programme, campaign, account_id, decision_id, asked, granted, $10::timestamptz
from unnest(
    $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::bigint[], $9::bigint[]
) as new (ask_id, tenant, programme, campaign, account_id, decision_id, asked, granted);
