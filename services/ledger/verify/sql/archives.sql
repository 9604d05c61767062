-- archives: what was archived, oldest first.
select
    until,
    manifest,
    statement
from archive
order by until;
