-- strays: how many rows there are of shards that do not exist, by table and shard; each table has an index that says so.
-- $1 shards  int  shards are numbered from 0; there are so many
select
    'event' as stands_in,
    shard,
    count(*) as rows
from event
where shard < 0 or shard >= $1::int
group by shard
union all
select
    'movement' as stands_in,
    shard,
    count(*) as rows
from movement
where shard < 0 or shard >= $1::int
group by shard
union all
select
    'waiting' as stands_in,
    shard,
    count(*) as rows
from waiting
where shard < 0 or shard >= $1::int
group by shard
union all
select
    'account' as stands_in,
    shard,
    count(*) as rows
from account
where shard < 0 or shard >= $1::int
group by shard
union all
select
    'balance' as stands_in,
    shard,
    count(*) as rows
from balance
where shard < 0 or shard >= $1::int
group by shard
union all
select
    'lot' as stands_in,
    shard,
    count(*) as rows
from lot
where shard < 0 or shard >= $1::int
group by shard
union all
select
    'hold' as stands_in,
    shard,
    count(*) as rows
from hold
where shard < 0 or shard >= $1::int
group by shard
union all
select
    'redemption' as stands_in,
    shard,
    count(*) as rows
from redemption
where shard < 0 or shard >= $1::int
group by shard
union all
select
    'transit' as stands_in,
    shard,
    count(*) as rows
from transit
where shard < 0 or shard >= $1::int
group by shard
union all
select
    'entry' as stands_in,
    shard,
    count(*) as rows
from entry
where shard < 0 or shard >= $1::int
group by shard
union all
select
    'daily_total' as stands_in,
    shard,
    count(*) as rows
from daily_total
where shard < 0 or shard >= $1::int
group by shard
union all
select
    'programme' as stands_in,
    shard,
    count(*) as rows
from programme
where shard < 0 or shard >= $1::int
group by shard
union all
select
    'dead_letter' as stands_in,
    shard,
    count(*) as rows
from dead_letter
where shard < 0 or shard >= $1::int
group by shard
union all
select
    'idempotency_key' as stands_in,
    shard,
    count(*) as rows
from idempotency_key
where shard < 0 or shard >= $1::int
group by shard
union all
select
    'data_key' as stands_in,
    shard,
    count(*) as rows
from data_key
where shard < 0 or shard >= $1::int
group by shard
union all
select
    'shard' as stands_in,
    shard,
    count(*) as rows
from shard
where shard < 0 or shard >= $1::int
group by shard
union all
select
    'relay_position' as stands_in,
    shard,
    count(*) as rows
from relay_position
where shard < 0 or shard >= $1::int
group by shard
order by stands_in, shard;
