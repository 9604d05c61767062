-- show_dead_letter: one message that was set aside, whole; asked for by a person, in whatever shard it lies.
-- $1 dead_letter_id uuid  its id
select
    shard,
    dead_letter_id,
    processor,
    topic,
    partition,
    kafka_offset,
    subject,
    key,
    code,
    message,
    body,
    traceparent,
    set_aside_at,
    state,
    replayed_at,
    replayed_by,
    replacement
from dead_letter
where dead_letter_id = $1;
