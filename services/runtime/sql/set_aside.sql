-- set_aside: keep messages that failed alone; those that were kept before are left out of the answer.
-- $1 shard        int          the one shard of this transaction
-- $2 ids          uuid[]       derived from processor, topic, partition and offset
-- $3 processor    text         who could not take them in
-- $4 topics       text[]       where they came from
-- $5 partitions   int[]        where they came from
-- $6 offsets      bigint[]     where they came from
-- $7 keys         bytea[]      Kafka's key, if there was one, sealed as the bodies
-- $8 codes        text[]       why, for a program
-- $9 messages     text[]       why, for a person
-- $10 bodies      bytea[]      the messages as they came, sealed
-- $11 traces      text[]       W3C traceparent, if there was one
-- $12 set_aside_at timestamptz when
-- $13 subjects     uuid[]      under whose keys they are; null: they are not sealed
insert into dead_letter
    (shard, processor, set_aside_at, dead_letter_id, topic, partition, kafka_offset, key, code, message, body, traceparent,
    subject)
select
    $1::int,
    $3::text,
    $12::timestamptz,
    letter.*
from unnest(
    $2::uuid[], $4::text[], $5::int[], $6::bigint[], $7::bytea[], $8::text[], $9::text[], $10::bytea[], $11::text[],
    $13::uuid[]
) as letter
on conflict (shard, dead_letter_id) do nothing
returning dead_letter_id;
