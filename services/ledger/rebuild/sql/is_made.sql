-- is_made: whether this session has a table of its own by this name.
-- $1 name  text  its name
select to_regclass('pg_temp.' || $1::text) is not null
