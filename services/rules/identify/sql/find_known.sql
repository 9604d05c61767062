-- find_known: what was taken in, or refused, under these business keys; read under the shard row.
-- $1 shard  int     the one shard of this transaction
-- $2 keys   uuid[]  business keys of purchases, activities, facts and enrolments, and of refused messages
select
    'purchase' as part,
    purchase_key as subject_key,
    fingerprint,
    verdict,
    account_id,
    event_source,
    event_id,
    purchased_at as at,
    store,
    total,
    null as message,
    null as field
from purchase
where shard = $1
  and purchase_key = any($2::uuid[])
union all
select
    'activity', activity_key, fingerprint, verdict, account_id, event_source, event_id, occurred_at,
    null, null, null, null
from activity
where shard = $1
  and activity_key = any($2::uuid[])
union all
select
    'refusal', subject_key, null, code, null, event_source, event_id, refused_at,
    null, null, message, field
from refusal
where shard = $1
  and subject_key = any($2::uuid[]);
