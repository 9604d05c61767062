-- settle_returns: the verdict on returns that waited for their purchase, or for somebody whose it is.
-- $1 shard    int     the one shard of this transaction
-- $2 keys     uuid[]  of the returns
-- $3 verdict  text    applied, or nobody where nobody earned by the purchase: then it is kept as it came
update purchase_return
set verdict = $3, body = case when $3 = 'applied' then null else body end
where shard = $1
  and return_key = any($2::uuid[]);
