-- The participant aggregate: the facts that decide, the decisions with what they were decided from, and the versions of
-- the programmes that decided. Every row is written by the transaction that holds the row of its shard.

-- One member (or household) in one programme.
create table participant (
    shard         integer     not null,
    account_id    uuid        not null,
    tenant        text        not null,
    programme     text        not null,
    member_id     uuid        not null, -- whose account it is; others of a household may buy for it
    enrolled_at   timestamptz not null,
    decisions     bigint      not null, -- how many were taken: the number of the last one
    waiting       integer     not null, -- messages in `waiting_receipt` that wait for a decision of this participant
    tier          text,                 -- as `state` has it, for queries
    due_at   timestamptz,          -- when it must be looked at next, whether it buys or not: a tier ends, or it is a birthday
    state         bytea       not null, -- JSON: periods of tiers, counters, sums of windows; nothing personal
    known         bytea       not null, -- JSON: by member, encrypted: birthday, segments, attributes, and since when
    decided_at    timestamptz not null, -- when the last decision was taken, by the wall clock
    primary key (shard, account_id)
) with (fillfactor = 70);

create index participant_due on participant (shard, due_at) where due_at is not null;

-- A decision, and what it was decided from: written once, never changed. What takes a purchase back is a decision of its
-- own, which names the purchase's.
create table decision (
    shard             integer     not null,
    decision_id       uuid        not null,
    account_id        uuid        not null,
    member_id         uuid        not null, -- who bought: of a household one of several; under whose key `inputs` is
    number            bigint      not null, -- counts the account's decisions from 1
    kind              text        not null check (
        kind in (
            'purchase', 'return', 'conflict', 'self_referral', 'enrolment', 'activity', 'birthday', 'referral'
        )
    ),
    cause_key         uuid        not null, -- of the purchase, the return, the activity
    cause_id          text        not null, -- as its source names it
    of_decision_id    uuid,
    occurred_at       timestamptz not null,
    counts_at         timestamptz not null, -- the date at which the three sums count: for a return, that of the purchase
    qualifying        bigint      not null, -- for tiers, in their unit; below zero for a return, as the other two
    spend             bigint      not null, -- ten-thousandths of the currency
    purchases         smallint    not null,
    decided_at        timestamptz not null,
    programme_version integer,              -- null: no version was in force
    reason            text,                 -- why nothing could be awarded
    record            bytea       not null, -- JSON: the explanation, awards, changes of tier; nothing personal
    inputs            bytea       not null, -- encrypted: the basket and the facts
    primary key (shard, decision_id)
);

create index decision_by_date on decision (shard, account_id, counts_at) include (qualifying, spend, purchases);
create index decision_of on decision (shard, of_decision_id) where of_decision_id is not null;

-- What the ledger answered to a command that a decision sent.
create table command_verdict (
    shard       integer     not null,
    command_id  uuid        not null,
    code        text,                 -- null: booked; else why it was refused
    recorded_at timestamptz not null,
    primary key (shard, command_id)
);

-- What came before the thing that it belongs to: a receipt before its participant, a return before its purchase.
create table waiting_receipt (
    shard       integer     not null,
    account_id  uuid        not null,
    member_id   uuid        not null, -- under whose key `body` is
    waits_for   uuid        not null, -- the account: for its enrolment; else a purchase's decision
    decision_id uuid        not null, -- the decision that it will be, so that the same thing waits once
    arrived     bigint      generated always as identity, -- the order of arrival
    since       timestamptz not null,
    traceparent text,
    body        bytea       not null, -- encrypted: the message
    primary key (shard, account_id, waits_for, decision_id)
);

-- Programmes, in the shard of `tenant/programme`.
create table programme (
    shard       integer     not null,
    tenant      text        not null,
    programme   text        not null,
    revision    integer     not null, -- counts what was published
    suspensions jsonb       not null default '[]', -- [{"starts_at": …, "ends_at": …}]
    recorded_at timestamptz not null,
    primary key (shard, tenant, programme)
);

create table programme_version (
    shard          integer     not null,
    tenant         text        not null,
    programme      text        not null,
    version        integer     not null check (version > 0),
    state          text        not null check (state in ('draft', 'published')),
    file           text        not null, -- as it was sent, comments and all
    content_hash   text        not null, -- SHA-256 of the file, in hexadecimal
    drafted_at     timestamptz not null,
    drafted_by     text        not null,
    starts_at      timestamptz,
    published_at   timestamptz,
    published_by   text,
    primary key (shard, tenant, programme, version),
    check ((state = 'published') = (starts_at is not null)),
    check ((state = 'published') = (published_at is not null)),
    check ((state = 'published') = (published_by is not null))
);

-- What a decision asked of a campaign's budget, and what became of it; in the shard of the account.
create table budget_ask (
    shard       integer     not null,
    ask_id      uuid        not null,
    decision_id uuid        not null,
    account_id  uuid        not null,
    rule        text        not null,
    partner     text        not null, -- of a coalition, whose lines ask; else empty
    currency    text        not null,
    asked       bigint      not null, -- in the smallest unit, as all points here
    counted     bytea       not null, -- JSON: what the award counted; of what is not granted it is given back
    award       bytea       not null, -- JSON: what the ledger is told once all of it is granted
    remains     bigint,               -- what the rest of the basket would ask for; null: nothing came back
    taken       bigint      not null, -- what was reversed of what was granted
    granted     bigint,               -- null: not answered yet
    asked_at    timestamptz not null,
    granted_at  timestamptz,
    primary key (shard, ask_id),
    check ((granted is null) = (granted_at is null)),
    check (granted between 0 and asked)
);

create index budget_ask_of on budget_ask (shard, decision_id);

-- A campaign's budget, in its home: the shard of `tenant/programme/campaign`.
create table budget (
    shard       integer     not null,
    tenant      text        not null,
    programme   text        not null,
    campaign    text        not null,
    rule        text        not null,
    currency    text        not null,
    scale       smallint    not null,
    total       bigint      not null, -- as the last ask said
    granted     bigint      not null, -- never made less: returns do not refill it
    asks        bigint      not null, -- how many came
    cut         bigint      not null, -- of how many something was not granted
    recorded_at timestamptz not null,
    primary key (shard, tenant, programme, campaign)
);

-- What a campaign granted, ask by ask: the record by which an ask that comes twice is known.
create table budget_grant (
    shard       integer     not null,
    ask_id      uuid        not null,
    tenant      text        not null,
    programme   text        not null,
    campaign    text        not null,
    account_id  uuid        not null,
    decision_id uuid        not null,
    asked       bigint      not null,
    granted     bigint      not null check (granted between 0 and asked),
    granted_at  timestamptz not null,
    primary key (shard, ask_id)
);
