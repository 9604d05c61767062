-- prune_outbox: delete entries that were relayed long ago; of logs that are an outbox only.
-- $1 shard    int          the shard
-- $2 relayed  bigint       the position that Kafka has
-- $3 before   timestamptz  recorded earlier than this
-- $4 max_rows int          at most so many
delete from event
where shard = $1
  and position = any(
      array(
          select position
          from event
          where shard = $1
            and position <= $2
            and recorded_at < $3
          order by position
          limit $4
      )
  );
