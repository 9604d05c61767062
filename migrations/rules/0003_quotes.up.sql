-- What rules knows of the books, for quotes: written as the ledger's events are heard, in the transaction of the shard.

-- Balances and holds of an account, as its last event that was heard left them.
create table known_account (
    shard       integer     not null,
    account_id  uuid        not null,
    version     bigint      not null, -- of the account, in the books
    state       bytea       not null, -- JSON: status, balances, holds, what was redeemed on the last day
    recorded_at timestamptz not null,
    primary key (shard, account_id)
) with (fillfactor = 70);

-- Lots that will begin or end to count; those that always count are left out.
create table known_lot (
    shard        integer     not null,
    account_id   uuid        not null,
    lot_id       uuid        not null,
    currency     text        not null,
    pending      bigint      not null,
    available    bigint      not null,
    held         bigint      not null,
    activates_at timestamptz,
    expires_at   timestamptz,
    primary key (shard, account_id, lot_id)
) with (fillfactor = 80);

-- What a quote reads of an account's lots: those that lapse soon, and those that wait to count.
create index known_lot_by_expiry on known_lot (shard, account_id, expires_at);
create index known_lot_pending on known_lot (shard, account_id, activates_at) where pending > 0;
