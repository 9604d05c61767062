-- keep_waiting: keep what came before the thing that it belongs to; the same thing waits once.
-- $1 shard        int            the one shard of this transaction
-- $2 accounts     uuid[]         one for each row, as all arrays
-- $3 waits_for    uuid[]         the account, or the decision on a purchase
-- $4 decisions    uuid[]         the decision that it will be
-- $5 since        timestamptz    now
-- $6 traceparent  text[]         of its message
-- $7 bodies       bytea[]        the message, encrypted
insert into waiting_receipt (shard, account_id, waits_for, decision_id, since, traceparent, body)
select $1::int, account_id, waits_for, decision_id, $5::timestamptz, traceparent, body
from unnest($2::uuid[], $3::uuid[], $4::uuid[], $6::text[], $7::bytea[]) with ordinality
    as new (account_id, waits_for, decision_id, traceparent, body, place)
order by place
on conflict do nothing;
