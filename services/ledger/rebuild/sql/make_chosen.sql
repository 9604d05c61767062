-- make_chosen: where the keys of lines go that are put right in one step.
create temp table chosen_entry as
select
    account_id,
    known_at,
    version,
    currency
from entry
limit 0
