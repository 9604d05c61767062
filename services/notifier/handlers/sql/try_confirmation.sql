-- try_confirmation: a code was said: the attempt counts, and a right one confirms.
-- $1 shard         int          the shard that its id names
-- $2 confirmation  uuid
-- $3 attempts      int          with this one
-- $4 confirmed     timestamptz  null: not confirmed
update confirmation
set attempts = $3, confirmed_at = $4
where shard = $1
  and confirmation_id = $2;
