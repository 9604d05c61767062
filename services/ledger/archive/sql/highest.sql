-- highest: the head of the shard that has come furthest.
select max(head)
from shard
