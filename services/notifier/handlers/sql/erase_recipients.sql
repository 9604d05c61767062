-- erase_recipients: forget members wholly, preferences included.
-- $1 shard    int     the members' shard
-- $2 tenants  text[]  one for each member
-- $3 members  uuid[]
delete from recipient
using unnest($2::text[], $3::uuid[]) as erased (tenant, member_id)
where recipient.shard = $1
  and recipient.tenant = erased.tenant
  and recipient.member_id = erased.member_id;
