-- offsets_done: how far each consumer group of this service has come, in every worker.
-- $1 topics  text[]  full names
select topic, partition, max(next_offset) as next_offset
from consumer_offset
where topic = any($1::text[])
group by topic, partition;
