-- archived_within: whether events of a programme that count within a part of a day were archived.
-- $1 tenant     text         whose
-- $2 programme  text         which
-- $3 since      timestamptz  movements that count from here
-- $4 until      timestamptz  and before this
select exists (
    select
    from archive
    cross join entry
    inner join account on account.shard = entry.shard and account.account_id = entry.account_id
    where entry.position <= archive.until
      and entry.effective_at >= $3
      and entry.effective_at < $4
      and account.tenant = $1
      and account.programme = $2
);
