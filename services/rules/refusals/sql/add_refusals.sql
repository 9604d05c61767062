-- add_refusals: messages that were refused, for the operators' list; one that stands there already stays as it is.
-- $1 shard          int          the one shard of this transaction
-- $2 keys           uuid[]       of what was refused
-- $3 sources        text[]       of the events that brought it
-- $4 event_ids      text[]
-- $5 tenants        text[]
-- $6 programmes     text[]       null where the message names none
-- $7 kinds          text[]       purchase, return, activity
-- $8 subject_ids    text[]       as its sender names it
-- $9 codes          text[]
-- $10 messages      text[]
-- $11 fields        text[]       JSON paths; null where no field is to blame
-- $12 facts         jsonb[]      of conflicts: both facts
-- $13 refused_at    timestamptz  now
insert into refusal (
    shard, subject_key, event_source, event_id, tenant, programme, kind, subject_id, code, message, field, facts,
    refused_at
)
select $1::int, new.*, $13::timestamptz
from unnest(
    $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
    $11::text[], $12::jsonb[]
) as new
on conflict do nothing;
