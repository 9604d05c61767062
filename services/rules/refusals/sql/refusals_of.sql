-- refusals_of: the messages about one thing that were refused, first come first.
-- $1 shards       int[]  all shards: under which key they came is not asked
-- $2 subject_key  uuid   of the purchase, return or activity
select
    tenant,
    programme,
    kind,
    subject_id,
    event_source,
    event_id,
    code,
    message,
    field,
    facts,
    refused_at,
    ordinal
from refusal
where shard = any($1::int[])
  and subject_key = $2
order by refused_at, ordinal;
