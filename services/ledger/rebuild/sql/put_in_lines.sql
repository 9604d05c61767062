-- put_in_lines: write the chosen lines as they should be.
insert into entry
select beside.*
from beside_entry as beside
inner join chosen_entry using (account_id, known_at, version, currency)
