-- add_draft: keep a file as a draft.
-- $1 shard         int          the programme's shard
-- $2 tenant        text         whose it is
-- $3 programme     text         its name
-- $4 version       int          the next number
-- $5 file          text         as it was sent
-- $6 content_hash  text         SHA-256 of the file, in hexadecimal
-- $7 drafted_at    timestamptz  now
-- $8 drafted_by    text         who sent it
insert into programme_version
    (shard, tenant, programme, version, state, file, content_hash, drafted_at, drafted_by)
values ($1, $2, $3, $4, 'draft', $5, $6, $7, $8);
