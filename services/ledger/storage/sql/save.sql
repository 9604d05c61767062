-- save: what nearly every transaction changes beside the log, in one round trip; each parameter an array of rows.
-- $1 accounts   json  accounts, as they stand now
-- $2 balances   json  balances, as they stand now
-- $3 new lots   json  lots opened in this transaction
-- $4 lots       json  lots that were there before, as they stand now
-- $5 movements  json  commands and their verdicts
-- $6 entries    json  lines of statements
-- $7 totals     json  what moved, to be added to the totals of its day
with saved_account as (
    insert into account (
        shard, account_id, tenant, programme, member_id, status, erased, version, lots_opened, tier, tier_since,
        tier_until, standing, merged_into, merging_from, redemption_day, redemptions_on_day, due_at, known_at, position
    )
    select row.*
    from json_to_recordset($1::json) as row (
        shard int, account_id uuid, tenant text, programme text, member_id uuid, status text, erased boolean,
        version bigint, lots_opened bigint, tier text, tier_since timestamptz, tier_until timestamptz, standing json,
        merged_into uuid, merging_from uuid [], redemption_day date, redemptions_on_day int, due_at timestamptz,
        known_at timestamptz, position bigint
    )
    on conflict (shard, account_id) do update set
        tenant = excluded.tenant,
        programme = excluded.programme,
        member_id = excluded.member_id,
        status = excluded.status,
        erased = excluded.erased,
        version = excluded.version,
        lots_opened = excluded.lots_opened,
        tier = excluded.tier,
        tier_since = excluded.tier_since,
        tier_until = excluded.tier_until,
        standing = excluded.standing,
        merged_into = excluded.merged_into,
        merging_from = excluded.merging_from,
        redemption_day = excluded.redemption_day,
        redemptions_on_day = excluded.redemptions_on_day,
        due_at = excluded.due_at,
        known_at = excluded.known_at,
        position = excluded.position
),

saved_balance as (
    insert into balance (
        shard, account_id, currency, scale, issued, adjusted, transferred_in, transferred_out, pending, available,
        held, in_transit, redeemed, expired, reversed, debt, debt_since, inactivity, active_at, lapses_at, notice_at,
        sent_month, sent
    )
    select row.*
    from json_to_recordset($2::json) as row (
        shard int, account_id uuid, currency text, scale int, issued bigint, adjusted bigint, transferred_in bigint,
        transferred_out bigint, pending bigint, available bigint, held bigint, in_transit bigint, redeemed bigint,
        expired bigint, reversed bigint, debt bigint, debt_since timestamptz, inactivity json, active_at timestamptz,
        lapses_at timestamptz, notice_at timestamptz, sent_month text, sent bigint
    )
    on conflict (shard, account_id, currency) do update set
        scale = excluded.scale,
        issued = excluded.issued,
        adjusted = excluded.adjusted,
        transferred_in = excluded.transferred_in,
        transferred_out = excluded.transferred_out,
        pending = excluded.pending,
        available = excluded.available,
        held = excluded.held,
        in_transit = excluded.in_transit,
        redeemed = excluded.redeemed,
        expired = excluded.expired,
        reversed = excluded.reversed,
        debt = excluded.debt,
        debt_since = excluded.debt_since,
        inactivity = excluded.inactivity,
        active_at = excluded.active_at,
        lapses_at = excluded.lapses_at,
        notice_at = excluded.notice_at,
        sent_month = excluded.sent_month,
        sent = excluded.sent
),

opened_lot as (
    insert into lot (
        shard, account_id, lot_id, currency, sequence, accrual_id, earned_at, booked_at, activates_at, expires_at,
        points, pending, available, held, in_transit, redeemed, expired, reversed, withdrawn, taken_back, written_off,
        campaign, partner
    )
    select row.*
    from json_to_recordset($3::json) as row (
        shard int, account_id uuid, lot_id uuid, currency text, sequence bigint, accrual_id uuid, earned_at timestamptz,
        booked_at timestamptz, activates_at timestamptz, expires_at timestamptz, points bigint, pending bigint,
        available bigint, held bigint, in_transit bigint, redeemed bigint, expired bigint, reversed bigint,
        withdrawn bigint, taken_back bigint, written_off bigint, campaign text, partner text
    )
),

saved_lot as (
    update lot set
        activates_at = row.activates_at,
        expires_at = row.expires_at,
        points = row.points,
        pending = row.pending,
        available = row.available,
        held = row.held,
        in_transit = row.in_transit,
        redeemed = row.redeemed,
        expired = row.expired,
        reversed = row.reversed,
        withdrawn = row.withdrawn,
        taken_back = row.taken_back,
        written_off = row.written_off
    from json_to_recordset($4::json) as row (
        shard int, account_id uuid, lot_id uuid, activates_at timestamptz, expires_at timestamptz, points bigint,
        pending bigint, available bigint, held bigint, in_transit bigint, redeemed bigint, expired bigint,
        reversed bigint, withdrawn bigint, taken_back bigint, written_off bigint
    )
    where lot.shard = row.shard and lot.account_id = row.account_id and lot.lot_id = row.lot_id
),

saved_movement as (
    insert into movement (
        shard, command_id, account_id, type, verdict, code, request, answer, position, recorded_at
    )
    select row.*
    from json_to_recordset($5::json) as row (
        shard int, command_id uuid, account_id uuid, type text, verdict text, code text, request json, answer json,
        position bigint, recorded_at timestamptz
    )
    on conflict (shard, command_id) do update set
        verdict = excluded.verdict,
        code = excluded.code,
        answer = excluded.answer,
        position = excluded.position,
        recorded_at = excluded.recorded_at
),

written_entry as (
    insert into entry (
        shard, account_id, known_at, version, currency, position, type, effective_at, recorded_at, scale, issued,
        adjusted, transferred_in, transferred_out, pending, available, held, in_transit, redeemed, expired, reversed,
        debt, pending_after, available_after, held_after, transit_after, debt_after, why
    )
    select row.*
    from json_to_recordset($6::json) as row (
        shard int, account_id uuid, known_at timestamptz, version bigint, currency text, position bigint, type text,
        effective_at timestamptz, recorded_at timestamptz, scale int, issued bigint, adjusted bigint,
        transferred_in bigint, transferred_out bigint, pending bigint, available bigint, held bigint,
        in_transit bigint, redeemed bigint, expired bigint, reversed bigint, debt bigint, pending_after bigint,
        available_after bigint, held_after bigint, transit_after bigint, debt_after bigint, why json
    )
)

insert into daily_total (
    shard, tenant, programme, currency, effective_on, recorded_on, source, target, expires_in, earned_with,
    spent_with, points, movements
)
select row.*
from json_to_recordset($7::json) as row (
    shard int, tenant text, programme text, currency text, effective_on date, recorded_on date, source text,
    target text, expires_in text, earned_with text, spent_with text, points numeric, movements bigint
)
on conflict (
    shard, tenant, programme, currency, effective_on, recorded_on, source, target, expires_in, earned_with,
    spent_with
) do update set
    points = daily_total.points + excluded.points,
    movements = daily_total.movements + excluded.movements;
