-- cohorts: what became of the points of a programme in a shard, by currency and month of issue.
-- $1 shard      int   the shard
-- $2 tenant     text  whose
-- $3 programme  text  which
-- $4 zone       text  the programme's zone: in it the months are
select
    lot.currency,
    to_char(lot.earned_at at time zone $4, 'YYYY-MM') as month,
    sum(lot.points)::bigint as issued,
    sum(lot.redeemed)::bigint as redeemed,
    sum(lot.expired)::bigint as expired,
    sum(lot.reversed)::bigint as reversed,
    sum(lot.withdrawn)::bigint as withdrawn,
    sum(lot.pending + lot.available + lot.held + lot.in_transit)::bigint as outstanding
from account
inner join lot on lot.shard = $1 and lot.account_id = account.account_id
where account.shard = $1 and account.tenant = $2 and account.programme = $3
group by 1, 2;
