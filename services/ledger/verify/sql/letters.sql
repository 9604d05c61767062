-- letters: the messages of a shard that were set aside.
-- $1 shard  int  the shard
select
    dead_letter_id,
    processor,
    topic,
    partition,
    kafka_offset,
    code,
    message,
    set_aside_at,
    traceparent,
    encode(sha256(coalesce(key, '') || body), 'hex') as record_sha256,
    state,
    replayed_at,
    replayed_by,
    replacement is not null as replaced,
    subject,
    subject is null or exists (
        select
        from data_key
        where data_key.shard = $1 and data_key.subject = dead_letter.subject
    ) as has_key
from dead_letter
where shard = $1;
