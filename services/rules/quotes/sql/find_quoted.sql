-- find_quoted: all that a quote stands on of one account: the participant, the books, and lots near their date.
-- $1 shard    int          the account's
-- $2 account  uuid         the account
-- $3 until    timestamptz  lots that begin or end to count by then
select
    participant.account_id,
    participant.tenant,
    participant.programme,
    participant.member_id,
    participant.enrolled_at,
    participant.decisions,
    participant.state,
    participant.known,
    known_account.state as books,
    (
        select json_agg(
            json_build_array(currency, pending, available, held, activates_at, expires_at)
            order by expires_at, activates_at, lot_id
        )
        from known_lot
        where known_lot.shard = participant.shard
          and known_lot.account_id = participant.account_id
          and (known_lot.expires_at <= $3 or known_lot.activates_at <= $3)
    ) as lots
from participant
left join known_account
    on known_account.shard = participant.shard
    and known_account.account_id = participant.account_id
where participant.shard = $1
  and participant.account_id = $2;
