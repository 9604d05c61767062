-- release_relay_lock: let another relay of this schema have its turn.
-- $1 class int  the number that all relays use
select pg_advisory_unlock($1::int, hashtext(current_schema()));
