-- keep_waiting: keep what came before the thing that it belongs to; the same thing waits once.
-- $1 shard        int            the one shard of this transaction
-- $2 accounts     uuid[]         one for each row, as all arrays
-- $3 members      uuid[]         under whose keys the bodies are
-- $4 waits_for    uuid[]         the account, or the decision on a purchase
-- $5 decisions    uuid[]         the decision that it will be
-- $6 since        timestamptz    now
-- $7 traceparent  text[]         of its message
-- $8 bodies       bytea[]        the message, encrypted
insert into waiting_receipt (shard, account_id, member_id, waits_for, decision_id, since, traceparent, body)
select $1::int, account_id, member_id, waits_for, decision_id, $6::timestamptz, traceparent, body
from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $7::text[], $8::bytea[]) with ordinality
    as new (account_id, member_id, waits_for, decision_id, traceparent, body, place)
order by place
on conflict do nothing;
