-- cancel_deliveries: what waits for members who were erased is not sent any more.
-- $1 shard    int          the members' shard
-- $2 tenants  text[]       one for each member
-- $3 members  uuid[]
-- $4 now      timestamptz
update delivery
set state = 'cancelled', code = 'member_erased', changed_at = $4
from unnest($2::text[], $3::uuid[]) as erased (tenant, member_id)
where delivery.shard = $1
  and delivery.tenant = erased.tenant
  and delivery.member_id = erased.member_id
  and delivery.state in ('waiting', 'sending');
