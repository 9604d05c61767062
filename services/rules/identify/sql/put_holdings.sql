-- put_holdings: holders of identifiers, new or changed.
-- $1 shard           int            the one shard of this transaction
-- $2 identifiers     bytea[]        keyed hashes
-- $3 tenants         text[]
-- $4 programmes      text[]
-- $5 since           timestamptz[]  from when on they hold it
-- $6 accounts        uuid[]         null: nobody, it is only blocked
-- $7 members         uuid[]
-- $8 card_categories text[]
-- $9 origins         text[]         enrolment, link, sight, block
-- $10 blocked_since  timestamptz[]  null: not blocked
-- $11 names          bytea[]        type:value, encrypted; null where nothing may be kept of the member
-- $12 recorded_at    timestamptz    now
insert into holding (
    shard, identifier, tenant, programme, since, account_id, member_id, card_category, origin, blocked_since, name,
    recorded_at
)
select $1::int, new.*, $12::timestamptz
from unnest(
    $2::bytea[], $3::text[], $4::text[], $5::timestamptz[], $6::uuid[], $7::uuid[], $8::text[], $9::text[],
    $10::timestamptz[], $11::bytea[]
) as new
on conflict (shard, identifier, programme, since) do update
set account_id = excluded.account_id,
    member_id = excluded.member_id,
    card_category = excluded.card_category,
    origin = excluded.origin,
    blocked_since = excluded.blocked_since,
    name = coalesce(excluded.name, holding.name),
    recorded_at = excluded.recorded_at;
