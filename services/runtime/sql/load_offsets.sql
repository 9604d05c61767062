-- load_offsets: where a consumer group goes on.
-- $1 consumer_group text    the group
-- $2 topics         text[]  full names
select
    topic,
    partition,
    next_offset
from consumer_offset
where consumer_group = $1
  and topic = any($2::text[]);
