-- archived_until: up to which position events were archived; null: none.
select max(until)
from archive
