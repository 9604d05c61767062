-- index_beside: rows beside are looked up by their account; TABLE and KEYS are replaced.
create index on beside_TABLE (KEYS)
