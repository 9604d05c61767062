-- detach: take a partition out of the log; PARTITION is replaced by its name.
alter table event detach partition PARTITION
