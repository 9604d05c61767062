-- find_quoted: all that a quote stands on of one account: the participant, its member's key, the books, and lots near
-- their date. Lots that began to count and lapse later are left out: an account may have a hundred thousand of them.
-- $1 shard    int          the account's
-- $2 account  uuid         the account
-- $3 member   uuid         whose key is wanted
-- $4 until    timestamptz  lots that lapse by then, or begin to count and have not been told of
select
    participant.account_id,
    participant.tenant,
    participant.programme,
    participant.member_id,
    participant.enrolled_at,
    participant.decisions,
    participant.state,
    participant.known,
    data_key.master,
    data_key.wrapped,
    known_account.state as books,
    (
        select json_agg(
            json_build_array(currency, pending, available, held, activates_at, expires_at)
            order by expires_at, activates_at, lot_id
        )
        from (
            select lot_id, currency, pending, available, held, activates_at, expires_at
            from known_lot
            where shard = $1
              and account_id = $2
              and expires_at <= $4
            union all
            select lot_id, currency, pending, available, held, activates_at, expires_at
            from known_lot
            where shard = $1
              and account_id = $2
              and pending > 0
              and activates_at <= $4
              and (expires_at is null or expires_at > $4)
        ) as near
    ) as lots
from participant
left join data_key
    on data_key.shard = participant.shard
    and data_key.subject = $3
left join known_account
    on known_account.shard = participant.shard
    and known_account.account_id = participant.account_id
where participant.shard = $1
  and participant.account_id = $2;
