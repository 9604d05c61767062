-- list_dead_letters: what was set aside, the latest first; without bodies.
-- $1 states text[]  set_aside, replaying, replayed
-- $2 topic  text    of this topic alone, or null
-- $3 code   text    for this reason alone, or null
-- $4 max_rows int   at most so many
select
    dead_letter_id,
    processor,
    topic,
    partition,
    kafka_offset,
    code,
    message,
    octet_length(body) as bytes,
    set_aside_at,
    state,
    replayed_at,
    replayed_by
from dead_letter
where state = any($1::text[])
  and ($2::text is null or topic = $2)
  and ($3::text is null or code = $3)
order by set_aside_at desc, dead_letter_id
limit $4;
