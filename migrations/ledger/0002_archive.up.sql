-- 0002_archive: the log in partitions of 250,000 positions of every shard, some 16 million events, so that the oldest
-- can be archived. What lies beyond the last of them goes into event_rest; `bonus ledger archive` makes more ahead.

alter table event detach partition event_first;
alter table event attach partition event_first for values from (0) to (250000);
create table event_0000250000 partition of event for values from (250000) to (500000);
create table event_0000500000 partition of event for values from (500000) to (750000);
create table event_0000750000 partition of event for values from (750000) to (1000000);

-- A statement trigger of the parent does not fire for a partition named directly: each has its own.
create trigger event_is_append_only before update or delete or truncate on event_0000250000
    for each statement execute function refuse_change();
create trigger event_is_append_only before update or delete or truncate on event_0000500000
    for each statement execute function refuse_change();
create trigger event_is_append_only before update or delete or truncate on event_0000750000
    for each statement execute function refuse_change();

-- What was archived: up to which position of every shard, and the two signed statements that say so.
create table archive (
    until       bigint      primary key,
    manifest    text        not null,
    statement   text        not null,
    archived_at timestamptz not null
);
