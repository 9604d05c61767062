-- Identification and the purchase index. Every row is written by the transaction that holds the row of its shard.
-- An identifier (`card:…`) stands in these tables as its keyed hash, HMAC-SHA256 over tenant and `type:value`.

-- Who holds an identifier in a programme, from `since` on until another follows. A row without an account says only
-- that the identifier was blocked while nobody held it.
create table holding (
    shard         integer     not null,
    identifier    bytea       not null,
    tenant        text        not null,
    programme     text        not null,
    since         timestamptz not null,
    account_id    uuid,
    member_id     uuid,
    card_category text        not null,
    origin        text        not null check (origin in ('enrolment', 'link', 'sight', 'block')),
    blocked_since timestamptz,
    name          bytea,               -- encrypted with the member's key: `type:value`
    recorded_at   timestamptz not null,
    primary key (shard, identifier, programme, since),
    check ((account_id is null) = (origin = 'block')),
    check ((account_id is null) = (member_id is null))
);

create index holding_of_member on holding (member_id) where member_id is not null;
create index holding_of_account on holding (account_id) where account_id is not null;

-- A purchase that was taken in, once under its id, with its verdict.
create table purchase (
    shard         integer     not null,
    purchase_key  uuid        not null,
    tenant        text        not null,
    programme     text        not null,
    purchase_id   text        not null,
    identifier    bytea,               -- null: it names no member
    account_id    uuid,
    member_id     uuid,
    verdict       text        not null check (
        verdict in ('identified', 'waiting', 'no_member', 'identifier_blocked', 'claim_window_passed')
    ),
    fingerprint   bytea       not null, -- SHA-256 of its content
    event_source  text        not null,
    event_id      text        not null,
    purchased_at  timestamptz not null,
    first_seen_at timestamptz not null,
    store         text        not null,
    currency      text        not null,
    total         bigint      not null, -- the bill in ten-thousandths of the currency
    primary key (shard, purchase_key),
    check ((account_id is not null) = (verdict = 'identified'))
);

create index purchase_by_date on purchase (tenant, programme, purchased_at, purchase_key);

-- An enrolment, facts about a member, an activity, or an award by somebody else's purchase that was taken in, once under its id, with its verdict.
create table activity (
    shard         integer     not null,
    activity_key  uuid        not null,
    tenant        text        not null,
    programme     text        not null,
    kind          text        not null check (kind in ('enrolment', 'facts', 'activity', 'award')),
    activity_id   text        not null,
    identifier    bytea       not null,
    account_id    uuid,
    member_id     uuid,
    verdict       text        not null check (
        verdict in ('identified', 'waiting', 'identifier_blocked', 'claim_window_passed')
    ),
    fingerprint   bytea       not null,
    event_source  text        not null,
    event_id      text        not null,
    occurred_at   timestamptz not null,
    first_seen_at timestamptz not null,
    primary key (shard, activity_key),
    check ((account_id is not null) = (verdict = 'identified'))
);

-- What waits under an identifier that nobody holds, in the order of its coming; and purchases that name no member.
create table kept (
    shard       integer     not null,
    subject_key uuid        not null,  -- of the purchase, activity or facts
    ordinal     bigint      not null generated always as identity,
    identifier  bytea,                 -- null: the purchase names no member
    programme   text        not null,
    kind        text        not null check (kind in ('purchase', 'facts', 'activity', 'award')),
    happened_at timestamptz not null,
    kept_at     timestamptz not null,
    kept_until  timestamptz,           -- who joins at this instant or later has nothing of it; null: no such instant
    traceparent text,
    body        bytea       not null,  -- encrypted with the subject's own key
    primary key (shard, subject_key)
);

create index kept_in_order on kept (shard, identifier, programme, ordinal) where identifier is not null;
create index kept_by_end on kept (shard, kept_until) where kept_until is not null;

-- What was refused, message by message: a refused message does not hold its business id, so what is sent again mended is
-- judged anew. Conflicts stand here too: this is the operators' list.
create table refusal (
    shard        integer     not null,
    subject_key  uuid        not null, -- of what was refused where it can be told, else of the message
    event_source text        not null,
    event_id     text        not null,
    tenant       text        not null,
    programme    text,
    kind         text        not null check (kind in ('purchase', 'return', 'activity')),
    subject_id   text        not null,
    code         text        not null,
    message      text        not null,
    field        text,
    facts        jsonb,                -- of a conflict: both facts
    refused_at   timestamptz not null,
    ordinal      bigint      not null generated always as identity,
    primary key (shard, subject_key, event_source, event_id)
);

create index refusal_by_date on refusal (tenant, refused_at, ordinal);

-- Whose a purchase is, and its lines; in the shard of its id.
create table purchase_index (
    shard           integer     not null,
    purchase_key    uuid        not null,
    tenant          text        not null,
    programme       text        not null,
    purchase_id     text        not null,
    account_id      uuid,               -- null: nobody can earn by it
    member_id       uuid,
    card_category   text        not null,
    fingerprint     bytea       not null,
    purchased_at    timestamptz not null,
    lines           json        not null, -- [[line, quantity, amount], …], the last two in ten-thousandths
    primary key (shard, purchase_key),
    check ((account_id is null) = (member_id is null))
);

-- A return that was taken in, once under its id, with its verdict; in the shard of its purchase's id.
create table purchase_return (
    shard         integer     not null,
    return_key    uuid        not null,
    purchase_key  uuid        not null,
    ordinal       bigint      not null generated always as identity,
    tenant        text        not null,
    programme     text        not null,
    return_id     text        not null,
    purchase_id   text        not null,
    verdict       text        not null check (verdict in ('applied', 'waiting', 'nobody')),
    fingerprint   bytea       not null,
    event_source  text        not null,
    event_id      text        not null,
    returned_at   timestamptz not null,
    first_seen_at timestamptz not null,
    lines         json        not null, -- [[line, quantity, amount], …], the last two in ten-thousandths
    traceparent   text,
    body          bytea,                -- encrypted with a key of its own, until it is applied
    primary key (shard, return_key),
    check ((body is null) = (verdict = 'applied'))
);

create index purchase_return_of on purchase_return (shard, purchase_key, ordinal);
