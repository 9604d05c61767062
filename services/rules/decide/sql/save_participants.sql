-- save_participants: write participants as the batch left them, new ones and known ones.
-- $1  shard        int            the one shard of this transaction
-- $2  accounts     uuid[]         one for each row, as all arrays
-- $3  tenants      text[]         their tenants
-- $4  programmes   text[]         their programmes
-- $5  members      uuid[]         their members
-- $6  enrolled     timestamptz[]  when they joined
-- $7  decisions    bigint[]       how many decisions were taken
-- $8  waiting      int[]          how many messages wait for a decision
-- $9  tiers        text[]         their tiers
-- $10 due          timestamptz[]  when they must be looked at
-- $11 states       bytea[]        what decides
-- $12 known        bytea[]        what is personal: by member, encrypted
-- $13 decided_at   timestamptz    now, which counts for those that were decided upon
insert into participant (
    shard, account_id, tenant, programme, member_id, enrolled_at, decisions, waiting, tier, due_at, state, known,
    decided_at
)
select $1::int, account_id, tenant, programme, member_id, enrolled_at, decisions, waiting, tier, due_at, state,
    known, $13::timestamptz
from unnest(
    $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::timestamptz[], $7::bigint[], $8::int[], $9::text[],
    $10::timestamptz[], $11::bytea[], $12::bytea[]
) as new (
    account_id, tenant, programme, member_id, enrolled_at, decisions, waiting, tier, due_at, state, known
)
on conflict (shard, account_id) do update
set decisions = excluded.decisions,
    waiting = excluded.waiting,
    tier = excluded.tier,
    due_at = excluded.due_at,
    state = excluded.state,
    known = excluded.known,
    decided_at = case
        when excluded.decisions > participant.decisions then excluded.decided_at else participant.decided_at
    end;
