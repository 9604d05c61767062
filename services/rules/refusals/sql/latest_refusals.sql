-- latest_refusals: the operators' list, the latest first, from a place in the list on.
-- $1 tenant      text
-- $2 programme   text         null: of every programme
-- $3 code        text         null: for every reason
-- $4 refused_at  timestamptz  of the last one that was listed, or later than any
-- $5 ordinal     bigint       of that one
-- $6 most        int          rows
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
where tenant = $1
  and ($2::text is null or programme = $2)
  and ($3::text is null or code = $3)
  and (refused_at, ordinal) < ($4, $5)
order by refused_at desc, ordinal desc
limit $6;
