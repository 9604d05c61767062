-- keys: answers kept under an Idempotency-Key in a shard; the books keep theirs with the verdict, so there are none.
-- $1 shard  int  the shard
select
    scope,
    key
from idempotency_key
where shard = $1;
