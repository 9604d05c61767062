-- compare: note which rows of a live table differ from those beside it; TABLE and KEYS are replaced.
-- $1 shard  int  the shard
insert into wrong_TABLE
select KEYS
from (select * from TABLE where shard = $1) as live
full join (select * from beside_TABLE) as beside using (KEYS)
where live::text is distinct from beside::text
