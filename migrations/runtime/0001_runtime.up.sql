-- 0001_runtime: what every service's schema has: shards and their log, the relay's place in it, offsets, dead letters,
-- idempotency keys. Executed inside the schema of each service by its first revision.

create table shard (
    shard       integer     primary key check (shard between 0 and 63),
    head        bigint      not null default 0 check (head >= 0),
    hash        bytea       not null default decode(repeat('00', 32), 'hex') check (octet_length(hash) = 32),
    recorded_at timestamptz not null default 'epoch'
) with (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

comment on table shard is 'One row a shard: the single writer holds it; head and hash of its log.';

insert into shard (shard) select number from generate_series(0, 63) as number;

create table event (
    shard       integer     not null,
    position    bigint      not null check (position > 0),
    event_id    uuid        not null,
    key         text        not null,
    type        text        not null,
    recorded_at timestamptz not null,
    traceparent text,
    body        bytea       not null,
    hash        bytea       not null,
    primary key (shard, position)
) partition by range (position);

comment on table event is 'The log: gap-free positions in a shard; body is the CloudEvent as published; hash = sha256(previous hash, body).';

create table event_first partition of event for values from (0) to (50000000);
create table event_rest partition of event default;

create table relay_position (
    shard    integer primary key,
    position bigint  not null default 0
) with (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

comment on table relay_position is 'Everything up to this position was taken by Kafka.';

insert into relay_position (shard) select number from generate_series(0, 63) as number;

create table consumer_offset (
    consumer_group text    not null,
    topic          text    not null,
    partition      integer not null,
    next_offset    bigint  not null check (next_offset >= 0),
    primary key (consumer_group, topic, partition)
) with (fillfactor = 20, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

comment on table consumer_offset is 'What a consumer group has done of a topic: sought on assignment, moved after the commits.';

-- The key of a subject in one shard, wrapped under a master key that is not in the database.
create table data_key (
    shard        integer     not null,
    subject      uuid        not null, -- a member, or what there is while the member is unknown
    master       text        not null,
    wrapped      bytea,                -- null: destroyed, for ever
    made_at      timestamptz not null default now(),
    destroyed_at timestamptz,
    primary key (shard, subject),
    check ((wrapped is null) = (destroyed_at is not null))
);

create table dead_letter (
    shard           integer     not null,
    dead_letter_id  uuid        not null,
    processor       text        not null,
    topic           text        not null,
    partition       integer     not null,
    kafka_offset    bigint      not null,
    subject         uuid,       -- under whose key `key`, `body` and `replacement` are; null: no master key is set
    key             bytea,
    code            text        not null,
    message         text        not null,
    body            bytea       not null,
    traceparent     text,
    set_aside_at    timestamptz not null,
    state           text        not null default 'set_aside' check (state in ('set_aside', 'replaying', 'replayed')),
    replayed_at     timestamptz,
    replayed_by     text,
    replacement     bytea,
    primary key (shard, dead_letter_id)
);

comment on table dead_letter is 'Messages that failed alone, as they came; who replayed them and with what.';

create table idempotency_key (
    shard       integer     not null,
    scope       text        not null,
    key         text        not null,
    fingerprint bytea       not null,
    status      integer     not null,
    answer      bytea       not null,
    recorded_at timestamptz not null,
    primary key (shard, scope, key)
);

comment on table idempotency_key is 'Answers given under an Idempotency-Key; scope is tenant, caller and route.';
