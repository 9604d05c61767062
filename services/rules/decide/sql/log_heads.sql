-- log_heads: how far this service's log has come, and how far Kafka has taken it.
select shard.shard, shard.head, coalesce(relay_position.position, 0) as relayed
from shard
left join relay_position
    on relay_position.shard = shard.shard;
