-- guard: refuse changes of a partition, as of the log; PARTITION is replaced by its name.
create trigger event_is_append_only before update or delete or truncate on PARTITION
for each statement execute function refuse_change()
