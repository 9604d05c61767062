-- save_commitments: what points are held for, were spent on or are on their way to; each parameter an array of rows.
-- $1 holds        json  holds, as they stand now
-- $2 redemptions  json  redemptions, as they stand now
-- $3 transits     json  transfers under way, as they stand now
-- $4 arrived      json  transfers that are under way no more
with saved_hold as (
    insert into hold (
        shard, account_id, hold_id, currency, state, captured, placed_at, expires_at, day, reference, partner,
        lot_ids, points, held
    )
    select row.*
    from json_to_recordset($1::json) as row (
        shard int, account_id uuid, hold_id uuid, currency text, state text, captured bigint, placed_at timestamptz,
        expires_at timestamptz, day date, reference text, partner text, lot_ids uuid [], points bigint [],
        held bigint []
    )
    on conflict (shard, account_id, hold_id) do update set
        state = excluded.state,
        captured = excluded.captured,
        lot_ids = excluded.lot_ids,
        points = excluded.points,
        held = excluded.held
),

saved_redemption as (
    insert into redemption (
        shard, account_id, redemption_id, currency, owed, owed_restored, unbacked, redeemed_at, hold_id, claimed_by,
        day, reference, forwarded, partner, lot_ids, points, restored
    )
    select row.*
    from json_to_recordset($2::json) as row (
        shard int, account_id uuid, redemption_id uuid, currency text, owed bigint, owed_restored bigint,
        unbacked bigint, redeemed_at timestamptz, hold_id uuid, claimed_by uuid, day date, reference text,
        forwarded bigint, partner text, lot_ids uuid [], points bigint [], restored bigint []
    )
    on conflict (shard, account_id, redemption_id) do update set
        owed = excluded.owed,
        owed_restored = excluded.owed_restored,
        unbacked = excluded.unbacked,
        hold_id = excluded.hold_id,
        claimed_by = excluded.claimed_by,
        day = excluded.day,
        forwarded = excluded.forwarded,
        lot_ids = excluded.lot_ids,
        points = excluded.points,
        restored = excluded.restored
),

saved_transit as (
    insert into transit (shard, account_id, transit_id, to_account_id, currency, month, lot_ids, points)
    select row.*
    from json_to_recordset($3::json) as row (
        shard int, account_id uuid, transit_id uuid, to_account_id uuid, currency text, month text, lot_ids uuid [],
        points bigint []
    )
    on conflict (shard, account_id, transit_id) do update set
        lot_ids = excluded.lot_ids,
        points = excluded.points
)

delete from transit
using json_to_recordset($4::json) as row (shard int, account_id uuid, transit_id uuid)
where transit.shard = row.shard and transit.account_id = row.account_id and transit.transit_id = row.transit_id;
