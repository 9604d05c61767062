-- offsets: where consumers go on in Kafka.
select
    consumer_group,
    topic,
    partition,
    next_offset
from consumer_offset;
