-- count_wrong: how many rows of a live table differ; TABLE is replaced.
select count(*)
from wrong_TABLE
