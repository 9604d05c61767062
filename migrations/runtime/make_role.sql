-- make_role: the role that a service's pool acts as; ROLE is replaced by its name. Nobody logs in with it.
do $$
begin
    if not exists (select from pg_roles where rolname = 'ROLE') then
        create role ROLE nologin;
    end if;
    -- A login that is no superuser needs to be a member to act as the role.
    if not pg_has_role(current_user, 'ROLE', 'member') then
        grant ROLE to current_user;
    end if;
exception
    when duplicate_object or unique_violation then
        -- Made at this moment by a migration of another database of this server: it is there.
        null;
end
$$
