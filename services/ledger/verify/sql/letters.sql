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
    replayed_by
from dead_letter
where shard = $1;
