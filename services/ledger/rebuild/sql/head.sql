-- head: how far a shard has come.
-- $1 shard  int  the shard
select head
from shard
where shard = $1
