-- Rehearsals: a programme on recorded purchases. They are done in parts, one for each shard of accounts, so that a worker
-- that is killed loses one part and no more.

create table rehearsal (
    shard       integer     not null, -- of its id
    rehearsal_id uuid        not null,
    tenant      text        not null,
    programme   text        not null,
    fingerprint bytea       not null, -- of what was asked: the same key with another question is a conflict
    state       text        not null check (state in ('waiting', 'running', 'done', 'failed')),
    file        text        not null, -- the programme file that is rehearsed
    version     integer,              -- its number; null: it was sent with the question
    against     integer,              -- the version that it is compared with; null: what was decided live
    since       timestamptz not null, -- the period, its end left out
    until       timestamptz not null,
    asked_at    timestamptz not null,
    asked_by    text        not null,
    started_at  timestamptz,
    ended_at    timestamptz,
    error       text,                 -- why it failed
    report      bytea,                -- JSON, once it is done; nothing personal
    primary key (shard, rehearsal_id)
);

create index rehearsal_open on rehearsal (shard, asked_at) where state in ('waiting', 'running');

create index rehearsal_by_date on rehearsal (tenant, asked_at, rehearsal_id);

create table rehearsal_part (
    shard        integer     not null, -- of the rehearsal
    rehearsal_id uuid        not null,
    part         integer     not null, -- the shard of accounts that it is about
    lease_until  timestamptz,          -- whoever works on it says so again and again; null: nobody does
    decisions    bigint      not null, -- how many were decided again, once it is done
    tally        bytea,                -- JSON, once it is done
    primary key (shard, rehearsal_id, part),
    foreign key (shard, rehearsal_id) references rehearsal (shard, rehearsal_id) on delete cascade
);
