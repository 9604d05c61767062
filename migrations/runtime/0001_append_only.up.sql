-- 0001_append_only: what the log holds is never changed and never removed, whoever asks.

create function refuse_change() returns trigger
language plpgsql
as $$
begin
    raise exception 'the log is append-only: % on % is refused', tg_op, tg_table_name
        using errcode = 'integrity_constraint_violation';
end
$$;

comment on function refuse_change() is 'Raises: for tables whose rows are proof.';

-- One trigger on each table of the log: a statement trigger of the parent does not fire for a partition named directly.
create trigger event_is_append_only before update or delete or truncate on event
    for each statement execute function refuse_change();
create trigger event_is_append_only before update or delete or truncate on event_first
    for each statement execute function refuse_change();
create trigger event_is_append_only before update or delete or truncate on event_rest
    for each statement execute function refuse_change();
