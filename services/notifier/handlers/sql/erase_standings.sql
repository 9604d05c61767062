-- erase_standings: what the accounts of members who were erased came to; the books keep their own.
-- $1 shard    int     the members' shard
-- $2 tenants  text[]  one for each member
-- $3 members  uuid[]
delete from standing
using unnest($2::text[], $3::uuid[]) as erased (tenant, member_id)
where standing.shard = $1
  and standing.tenant = erased.tenant
  and standing.member_id = erased.member_id;
