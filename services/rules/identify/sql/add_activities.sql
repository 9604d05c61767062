-- add_activities: enrolments, facts and activities that were taken in.
-- $1 shard          int            the one shard of this transaction
-- $2 keys           uuid[]         business keys
-- $3 tenants        text[]
-- $4 programmes     text[]
-- $5 kinds          text[]         enrolment, facts, activity
-- $6 activity_ids   text[]         as their senders name them
-- $7 identifiers    bytea[]        keyed hashes
-- $8 accounts       uuid[]         null while they wait
-- $9 members        uuid[]         null while they wait
-- $10 verdicts      text[]
-- $11 fingerprints  bytea[]        SHA-256 of their content
-- $12 sources       text[]         of the events that brought them
-- $13 event_ids     text[]
-- $14 occurred_at   timestamptz[]
-- $15 first_seen_at timestamptz    now
insert into activity (
    shard, activity_key, tenant, programme, kind, activity_id, identifier, account_id, member_id, verdict, fingerprint,
    event_source, event_id, occurred_at, first_seen_at
)
select $1::int, new.*, $15::timestamptz
from unnest(
    $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::uuid[], $9::uuid[], $10::text[],
    $11::bytea[], $12::text[], $13::text[], $14::timestamptz[]
) as new;
