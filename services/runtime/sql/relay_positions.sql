-- relay_positions: up to where each shard's log was taken by Kafka.
select
    shard,
    position
from relay_position;
