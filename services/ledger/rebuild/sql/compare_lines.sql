-- compare_lines: note which statement lines of some positions differ from those beside.
-- $1 shard  int     the shard
-- $2 after  bigint  the position before the first
-- $3 until  bigint  the last position
insert into wrong_entry
select
    account_id,
    known_at,
    version,
    currency
from (select * from entry where shard = $1 and position > $2 and position <= $3) as live
full join (select * from beside_entry where position > $2 and position <= $3) as beside
    using (account_id, known_at, version, currency)
where live::text is distinct from beside::text
