-- keep: what waits under an identifier that nobody holds, in the order of its coming; purchases that name no member.
-- $1 shard         int            the one shard of this transaction
-- $2 keys          uuid[]         business keys
-- $3 identifiers   bytea[]        keyed hashes; null: it names no member
-- $4 programmes    text[]
-- $5 kinds         text[]         purchase, facts, activity
-- $6 happened_at   timestamptz[]
-- $7 traceparents  text[]
-- $8 bodies        bytea[]        encrypted
-- $9 kept_until    timestamptz[]  null: for ever
-- $10 kept_at      timestamptz    now
insert into kept (shard, subject_key, identifier, programme, kind, happened_at, kept_at, kept_until, traceparent, body)
select
    $1::int, new.subject_key, new.identifier, new.programme, new.kind, new.happened_at, $10::timestamptz,
    new.kept_until, new.traceparent, new.body
from unnest(
    $2::uuid[], $3::bytea[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::bytea[], $9::timestamptz[]
)
    with ordinality as new (subject_key, identifier, programme, kind, happened_at, traceparent, body, kept_until, number)
order by new.number;
