-- find_confirmation: one code and what it is for.
-- $1 shard         int   the shard that its id names
-- $2 tenant        text
-- $3 confirmation  uuid
select
    confirmation_id, tenant, member_id, account_id, programme, currency, points, till, code, attempts, expires_at,
    confirmed_at
from confirmation
where shard = $1
  and tenant = $2
  and confirmation_id = $3;
