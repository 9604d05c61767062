-- drop_waiting: forget what no longer waits.
-- $1 shard      int     the one shard of this transaction
-- $2 accounts   uuid[]  the accounts it is about
-- $3 decisions  uuid[]  the decisions that it has become
delete from waiting_receipt
where shard = $1
  and account_id = any($2::uuid[])
  and decision_id = any($3::uuid[]);
