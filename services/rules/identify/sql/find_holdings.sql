-- find_holdings: who holds these identifiers, in every programme, from the first holder to the last.
-- $1 shard        int      the one shard of this transaction
-- $2 identifiers  bytea[]  keyed hashes
select
    identifier,
    programme,
    since,
    account_id,
    member_id,
    card_category,
    origin,
    blocked_since
from holding
where shard = $1
  and identifier = any($2::bytea[])
order by identifier, programme, since;
