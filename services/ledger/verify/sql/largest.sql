-- largest: the shards, those with the longest logs first.
select shard
from shard
order by head desc, shard;
