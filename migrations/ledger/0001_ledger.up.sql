-- The books. `event` is the truth; what stands in the other tables follows from it and is compared with it by
-- `bonus ledger verify`. No foreign keys: every row is written by the one writer of its shard, in the transaction that
-- wrote the event behind it, and a key that is checked again for each row costs more than the insert.

-- The log: whose event it is, and the how manieth of its account. Empty in the runtime's own entries.
alter table event add column account_id uuid;
alter table event add column version bigint check (version >= 0);

create unique index event_of_account on event (shard, account_id, version, position) where account_id is not null;

-- A command, and what became of it: the dedupe, and the answer that is given again for ever.
create table movement (
    shard       integer     not null,
    command_id  uuid        not null,
    account_id  uuid        not null,
    type        text        not null, -- of the message that asked for it
    verdict     text        not null check (verdict in ('applied', 'refused', 'waiting', 'redirected')),
    code        text,                 -- why it was refused
    request     json,                 -- what was asked, where another may ask under the same id
    answer      json,                 -- what the caller was told, where there is a caller
    position    bigint      not null, -- of the shard's last event then
    recorded_at timestamptz not null,
    primary key (shard, command_id)
);

-- A command that came before the one that it is about: decided when that comes.
create table waiting (
    shard       integer     not null,
    awaited_id  uuid        not null,
    command_id  uuid        not null,
    account_id  uuid        not null,
    content     json        not null, -- the message as it came
    recorded_at timestamptz not null,
    primary key (shard, awaited_id, command_id)
);

-- The writer's state of an account: services/ledger/domain/account.py says what the columns mean.
create table account (
    shard              integer     not null,
    account_id         uuid        not null,
    tenant             text        not null,
    programme          text        not null,
    member_id          uuid,
    status             text        not null,
    erased             boolean     not null,
    version            bigint      not null,
    lots_opened        bigint      not null,
    tier               text,
    tier_since         timestamptz, -- null: rules have said nothing of a tier yet
    tier_until         timestamptz,
    standing           json,
    merged_into        uuid,
    merging_from       uuid[]      not null,
    redemption_day     date,
    redemptions_on_day integer     not null,
    due_at             timestamptz, -- nothing is due before; may be earlier than what really is
    known_at           timestamptz not null, -- of its last event: no later one is known from an earlier instant
    position           bigint      not null, -- of its last event
    primary key (shard, account_id)
) with (fillfactor = 70);

create index account_due on account (shard, due_at) where due_at is not null;

create table balance (
    shard           integer not null,
    account_id      uuid    not null,
    currency        text    not null,
    scale           integer not null,
    issued          bigint  not null,
    adjusted        bigint  not null,
    transferred_in  bigint  not null,
    transferred_out bigint  not null,
    pending         bigint  not null,
    available       bigint  not null check (available >= 0),
    held            bigint  not null check (held >= 0),
    in_transit      bigint  not null,
    redeemed        bigint  not null,
    expired         bigint  not null,
    reversed        bigint  not null,
    debt            bigint  not null check (debt >= 0),
    debt_since      timestamptz,
    inactivity      json,
    active_at       timestamptz,
    lapses_at       timestamptz,
    notice_at       timestamptz,
    sent_month      text    not null,
    sent            bigint  not null,
    primary key (shard, account_id, currency),
    check (
        issued + adjusted + transferred_in - transferred_out
        = pending + available + held + in_transit + redeemed + expired + reversed - debt
    )
) with (fillfactor = 60);

create table lot (
    shard        integer     not null,
    account_id   uuid        not null,
    lot_id       uuid        not null,
    currency     text        not null,
    sequence     bigint      not null,
    accrual_id   uuid        not null,
    earned_at    timestamptz not null,
    booked_at    timestamptz not null,
    activates_at timestamptz,
    expires_at   timestamptz,
    points       bigint      not null,
    pending      bigint      not null,
    available    bigint      not null,
    held         bigint      not null,
    in_transit   bigint      not null,
    redeemed     bigint      not null,
    expired      bigint      not null,
    reversed     bigint      not null,
    withdrawn    bigint      not null,
    taken_back   bigint      not null,
    written_off  bigint      not null,
    campaign     text,
    partner      text        not null,
    primary key (shard, account_id, lot_id),
    check (points = pending + available + held + in_transit + redeemed + expired + reversed + withdrawn)
) with (fillfactor = 85);

-- Soonest-expiring first, whatever the account has spent before: closed lots are not in it. What expires in a month is
-- added up from the index alone.
create index lot_spendable on lot (shard, account_id, currency, expires_at, earned_at, sequence)
    include (available, pending) where available > 0;
-- `least` passes over nulls.
create index lot_pending on lot (shard, account_id, least(activates_at, expires_at)) where pending > 0;
create index lot_of_accrual on lot (shard, account_id, accrual_id);
create index lot_in_order on lot (shard, account_id, sequence);

create table hold (
    shard      integer     not null,
    account_id uuid        not null,
    hold_id    uuid        not null,
    currency   text        not null,
    state      text        not null,
    captured   bigint      not null,
    placed_at  timestamptz not null,
    expires_at timestamptz not null,
    day        date,
    reference  text,
    partner    text        not null default '',
    lot_ids    uuid[]      not null, -- the three say together which lots stand behind it, in the order of spending
    points     bigint[]    not null,
    held       bigint[]    not null,
    primary key (shard, account_id, hold_id)
) with (fillfactor = 80);

create index hold_open on hold (shard, account_id, expires_at) where state = 'open';

create table redemption (
    shard         integer     not null,
    account_id    uuid        not null,
    redemption_id uuid        not null,
    currency      text        not null,
    owed          bigint      not null,
    owed_restored bigint      not null,
    unbacked      bigint      not null,
    redeemed_at   timestamptz not null,
    hold_id       uuid,
    claimed_by    uuid,
    day           date,
    reference     text,
    forwarded     bigint      not null,
    partner       text        not null default '',
    lot_ids       uuid[]      not null,
    points        bigint[]    not null,
    restored      bigint[]    not null,
    primary key (shard, account_id, redemption_id)
) with (fillfactor = 90);

create index redemption_of_hold on redemption (shard, account_id, hold_id) where hold_id is not null;
create index redemption_claimed on redemption (shard, account_id, claimed_by) where claimed_by is not null;

create table transit (
    shard         integer  not null,
    account_id    uuid     not null,
    transit_id    uuid     not null,
    to_account_id uuid     not null,
    currency      text     not null,
    lot_ids       uuid[]   not null,
    points        bigint[] not null,
    month         text     not null,
    primary key (shard, account_id, transit_id)
);

-- A line of the statement: an event and a currency; deltas are null where nothing changed. Within an account `known_at`
-- grows with `version`, so that the one index serves pages, the balance at an instant, and two-time sums.
create table entry (
    shard           integer     not null,
    account_id      uuid        not null,
    known_at        timestamptz not null,
    version         bigint      not null,
    currency        text        not null,
    position        bigint      not null,
    type            text        not null,
    effective_at    timestamptz not null,
    recorded_at     timestamptz not null,
    scale           integer     not null,
    issued          bigint,
    adjusted        bigint,
    transferred_in  bigint,
    transferred_out bigint,
    pending         bigint,
    available       bigint,
    held            bigint,
    in_transit      bigint,
    redeemed        bigint,
    expired         bigint,
    reversed        bigint,
    debt            bigint,
    pending_after   bigint      not null,
    available_after bigint      not null,
    held_after      bigint      not null,
    transit_after   bigint      not null,
    debt_after      bigint      not null,
    why             json        not null, -- source, rules, reason, operator: the words of the line
    primary key (shard, account_id, known_at, version, currency)
);

-- What moved in a day, in UTC, for finance. `expires_in` is the month in which the lots expire (`2027-06`), `never`, or
-- `none` where no lot was touched. `earned_with` is the partner of a coalition that gave the lots, `spent_with` the one
-- that took the points; empty: the programme itself.
create table daily_total (
    shard        integer not null,
    tenant       text    not null,
    programme    text    not null,
    currency     text    not null,
    effective_on date    not null,
    recorded_on  date    not null,
    source       text    not null,
    target       text    not null,
    expires_in   text    not null,
    earned_with  text    not null,
    spent_with   text    not null,
    points       numeric not null,
    movements    bigint  not null,
    primary key (
        shard, tenant, programme, currency, effective_on, recorded_on, source, target, expires_in, earned_with, spent_with
    )
) with (fillfactor = 50);

-- What rules published of the programmes: the guards of commands that come here directly.
create table programme (
    shard       integer     not null,
    tenant      text        not null,
    programme   text        not null,
    revision    bigint      not null,
    state       json        not null,
    recorded_at timestamptz not null,
    primary key (shard, tenant, programme)
);

-- For sums of a day's part, over all accounts; next to nothing to keep where lines come in the order of their dates.
create index entry_by_date on entry using brin (effective_at);

-- For balances as of then, as known now: lines by how much later they were known than they counted (see `history`).
-- What is a few seconds late, as all that comes over a network is, is left out.
create index entry_late on entry (
    shard,
    account_id,
    width_bucket(extract(epoch from known_at - effective_at), '{60, 3600, 86400, 2592000, 34560000}'::numeric []),
    known_at
) where known_at - effective_at > interval '5 seconds';
