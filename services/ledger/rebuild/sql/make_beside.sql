-- make_beside: a table of this session alone, shaped like a live one; TABLE is replaced by its name.
create temp table beside_TABLE (like TABLE)
