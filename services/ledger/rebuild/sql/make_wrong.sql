-- make_wrong: the keys of rows of a live table that are not as they should be; TABLE and KEYS are replaced.
create temp table wrong_TABLE as
select KEYS
from TABLE
limit 0
