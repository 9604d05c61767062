-- partitions: those of the log that have bounds, with their bounds as PostgreSQL writes them.
select
    child.relname as name,
    pg_get_expr(child.relpartbound, child.oid) as bounds
from pg_inherits
inner join pg_class as child on child.oid = pg_inherits.inhrelid
where pg_inherits.inhparent = 'event'::regclass
  and pg_get_expr(child.relpartbound, child.oid) <> 'DEFAULT'
