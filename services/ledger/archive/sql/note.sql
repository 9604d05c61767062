-- note: say that events were archived.
-- $1 until        bigint       up to this position of every shard
-- $2 manifest     text         the signed manifest of the snapshot at their end
-- $3 statement    text         the signed statement of the archive
-- $4 archived_at  timestamptz  when
insert into archive (until, manifest, statement, archived_at) values ($1, $2, $3, $4)
