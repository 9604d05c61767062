-- holdings_of_identifiers: who holds identifiers, in every programme, from the first holder to the last.
-- $1 shards       int[]    those of the identifiers
-- $2 identifiers  bytea[]  keyed hashes
select
    shard,
    identifier,
    tenant,
    programme,
    since,
    account_id,
    member_id,
    card_category,
    origin,
    blocked_since,
    name
from holding
where shard = any($1::int[])
  and identifier = any($2::bytea[])
  and account_id is not null
order by since, programme;
