-- save_budgets: write budgets as the batch left them.
-- $1  shard        int          the one shard of this transaction, the campaigns' home
-- $2  tenants      text[]       one for each campaign, as all arrays
-- $3  programmes   text[]       their programmes
-- $4  campaigns    text[]       the campaigns
-- $5  rules        text[]       their rules
-- $6  currencies   text[]       what they give
-- $7  scales       smallint[]   how many decimals that has
-- $8  totals       bigint[]     what there is in all, as the last ask said
-- $9  granted      bigint[]     what was granted so far
-- $10 asks         bigint[]     how many asked
-- $11 cut          bigint[]     how many of them did not get all
-- $12 recorded_at  timestamptz  now
insert into budget (
    shard, tenant, programme, campaign, rule, currency, scale, total, granted, asks, cut, recorded_at
)
select $1::int, tenant, programme, campaign, rule, currency, scale, total, granted, asks, cut, $12::timestamptz
from unnest(
    $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::smallint[], $8::bigint[], $9::bigint[],
    $10::bigint[], $11::bigint[]
) as new (tenant, programme, campaign, rule, currency, scale, total, granted, asks, cut)
on conflict (shard, tenant, programme, campaign) do update
set total = excluded.total,
    granted = excluded.granted,
    asks = excluded.asks,
    cut = excluded.cut,
    recorded_at = excluded.recorded_at;
