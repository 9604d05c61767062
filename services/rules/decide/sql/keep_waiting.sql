-- keep_waiting: keep what came before the thing that it belongs to; the same thing waits once.
-- $1 shard        int            the one shard of this transaction
-- $2 accounts     uuid[]         one for each row, as all arrays
-- $3 waits_for    uuid[]         the account, or the decision on a purchase
-- $4 decisions    uuid[]         the decision that it will be
-- $5 arrived      bigint[]       the order of arrival
-- $6 since        timestamptz    now
-- $7 traceparent  text[]         of its message
-- $8 bodies       bytea[]        the message, encrypted
insert into waiting_receipt (shard, account_id, waits_for, decision_id, arrived, since, traceparent, body)
select $1::int, account_id, waits_for, decision_id, arrived, $6::timestamptz, traceparent, body
from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $7::text[], $8::bytea[])
    as new (account_id, waits_for, decision_id, arrived, traceparent, body)
on conflict do nothing;
