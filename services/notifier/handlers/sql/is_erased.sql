-- is_erased: whether a member's key was destroyed.
-- $1 shard    int   the member's shard
-- $2 subject  uuid  derived from tenant and member
select exists (
    select from data_key
    where shard = $1
      and subject = $2
      and wrapped is null
);
