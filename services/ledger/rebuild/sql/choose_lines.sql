-- choose_lines: some of the statement lines that are not as they should be, to be put right in one step.
-- $1 rows  int  at most so many
with taken as (
    delete from wrong_entry
    where ctid = any(array(select ctid from wrong_entry limit $1))
    returning account_id, known_at, version, currency
)

insert into chosen_entry
select *
from taken
