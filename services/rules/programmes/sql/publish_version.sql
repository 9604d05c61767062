-- publish_version: a draft is published.
-- $1 shard         int          the programme's shard
-- $2 tenant        text         whose it is
-- $3 programme     text         its name
-- $4 version       int          its number
-- $5 starts_at     timestamptz  from when on it judges
-- $6 published_at  timestamptz  now
-- $7 published_by  text         who did it
update programme_version
set state = 'published',
    starts_at = $5,
    published_at = $6,
    published_by = $7
where shard = $1
  and tenant = $2
  and programme = $3
  and version = $4
  and state = 'draft';
