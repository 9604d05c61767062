-- try_relay_lock: whether this session is now the one relay of its schema; the lock lives as long as the session.
-- $1 class int  the number that all relays use
select pg_try_advisory_lock($1::int, hashtext(current_schema()));
