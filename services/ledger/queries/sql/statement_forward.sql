-- statement_forward: a page of an account's statement, oldest first.
-- $1 shard     int          the account's shard
-- $2 account   uuid         the account
-- $3 known_at  timestamptz  of the last line of the page before
-- $4 version   bigint       of that line
-- $5 currency  text         of that line
-- $6 until     timestamptz  lines known from here on are left out
-- $7 only      text         one currency; empty: all
-- $8 limit     int          at most so many
select *
from entry
where shard = $1
  and account_id = $2
  and (known_at, version, currency) > ($3, $4, $5)
  and known_at < $6
  and ($7 = '' or currency = $7)
order by known_at, version, currency
limit $8;
