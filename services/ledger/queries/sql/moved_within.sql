-- moved_within: what moved in a programme within a part of a day, from the events themselves.
-- $1 tenant     text         whose
-- $2 programme  text         which
-- $3 since      timestamptz  movements that count from here
-- $4 until      timestamptz  and before this
select
    movement.currency,
    movement."from" as source,
    movement."to" as target,
    case
        when movement.lot_id is null then 'none'
        when lot.expires_at is null then 'never'
        else to_char((lot.expires_at - interval '12 hours') at time zone 'UTC', 'YYYY-MM')
    end as expires_in,
    coalesce(lot.partner, '') as earned_with,
    coalesce(convert_from(event.body, 'UTF8')::json -> 'data' -> 'details' ->> 'partner', '') as spent_with,
    sum(movement.points)::bigint as points,
    count(*) as movements
from entry
inner join account on account.shard = entry.shard and account.account_id = entry.account_id
inner join event on event.shard = entry.shard and event.position = entry.position
cross join lateral json_to_recordset(convert_from(event.body, 'UTF8')::json -> 'data' -> 'movements') as movement (
    currency text, "from" text, "to" text, lot_id uuid, points bigint
)
left join lot on lot.shard = entry.shard and lot.account_id = entry.account_id and lot.lot_id = movement.lot_id
where entry.effective_at >= $3
  and entry.effective_at < $4
  and entry.currency = movement.currency
  and account.tenant = $1
  and account.programme = $2
group by 1, 2, 3, 4, 5, 6;
