-- events: a page of an account's events as they were published, oldest first.
-- $1 shard     int     the account's shard
-- $2 account   uuid    the account
-- $3 version   bigint  of the last event of the page before
-- $4 position  bigint  of the last event of the page before: refused commands bear the version that they found
-- $5 limit     int     at most so many
select
    position,
    version,
    body
from event
where shard = $1
  and account_id = $2
  and (version, position) > ($3, $4)
order by version, position
limit $5;
