-- add_confirmation: a code that was made for a member.
-- $1 shard          int          the member's shard
-- $2 confirmation   uuid
-- $3 tenant         text
-- $4 member         uuid
-- $5 account        uuid
-- $6 programme      text
-- $7 currency       text
-- $8 points         text         decimal string
-- $9 till           text         who may spend them
-- $10 code          bytea        encrypted
-- $11 now           timestamptz
-- $12 expires       timestamptz
insert into confirmation (
    shard, confirmation_id, tenant, member_id, account_id, programme, currency, points, till, code, created_at,
    expires_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);
