-- 0001_notifier: who can be told and how, programmes as members read them, and every message with what became of it.

-- A member as far as he can be told something, in the shard of the member's id. `contact` is encrypted under his key.
create table recipient (
    shard               integer     not null,
    tenant              text        not null,
    member_id           uuid        not null,
    contact             bytea,                              -- null: there is no way to tell him
    language            text,                               -- null: the programme's, or the default
    email_allowed       boolean     not null default true,
    muted               text[]      not null default '{}',  -- kinds of message that he does not want
    undeliverable_since timestamptz,                        -- his address was refused for good
    undeliverable_code  text,
    changed_at          timestamptz not null,
    primary key (shard, tenant, member_id)
);

-- A programme as its members read it, in the shard of `tenant/programme`.
create table programme (
    shard     integer not null,
    tenant    text    not null,
    programme text    not null,
    revision  integer not null,
    versions  jsonb   not null, -- as published: contracts.programmes.ProgrammeGuards
    primary key (shard, tenant, programme)
);

-- One message over one channel, in the shard of the member's id: the record by which an event is told once.
create table delivery (
    shard        integer     not null,
    delivery_id  uuid        not null, -- derived from the event and the channel
    tenant       text        not null,
    member_id    uuid        not null,
    account_id   uuid        not null,
    programme    text        not null,
    event_id     text        not null,
    template     text        not null,
    channel      text        not null check (channel in ('email')),
    language     text        not null,
    facts        jsonb       not null, -- points, dates and codes; nothing personal
    state        text        not null default 'waiting'
        check (state in ('waiting', 'sending', 'sent', 'failed', 'bounced', 'cancelled')),
    attempts     integer     not null default 0 check (attempts >= 0),
    due_at       timestamptz not null, -- waiting: next attempt; sending: when its sender counts as lost
    created_at   timestamptz not null,
    changed_at   timestamptz not null,
    code         text        not null default '',
    traceparent  text,
    primary key (shard, delivery_id)
);

create index delivery_of_member on delivery (shard, tenant, member_id, created_at, delivery_id);
create index delivery_due on delivery (shard, due_at) where state in ('waiting', 'sending');

-- What a member's account came to with the newest of its events, for the member's own page: points and codes only.
create table standing (
    shard      integer     not null,
    tenant     text        not null,
    member_id  uuid        not null,
    account_id uuid        not null,
    programme  text        not null,
    version    bigint      not null, -- of the account: an older event that comes later changes nothing
    balances   jsonb       not null, -- by currency: scale, available, pending, held, debt
    tier       text,                 -- null: not known; empty: none
    is_open    boolean     not null,
    as_of      timestamptz not null, -- when that event counted
    primary key (shard, tenant, member_id, account_id)
);

-- A code that was sent to a member, by which he confirms that an amount may be spent.
create table confirmation (
    shard           integer     not null,
    confirmation_id uuid        not null, -- derived from the request that asked for it
    tenant          text        not null,
    member_id       uuid        not null,
    account_id      uuid        not null,
    programme       text        not null,
    currency        text        not null,
    points          text        not null, -- decimal string in the currency's scale
    till            text        not null, -- who may spend them
    code            bytea       not null, -- encrypted under the member's key
    attempts        integer     not null default 0 check (attempts >= 0),
    created_at      timestamptz not null,
    expires_at      timestamptz not null,
    confirmed_at    timestamptz,
    primary key (shard, confirmation_id)
);

create index confirmation_of_member on confirmation (shard, tenant, member_id, created_at);

grant select, insert, update, delete on recipient to bonus_notifier;
grant select, insert, update on programme to bonus_notifier;
grant select, insert, update on delivery to bonus_notifier;
grant select, insert, update, delete on standing to bonus_notifier;
grant select, insert, update on confirmation to bonus_notifier;
