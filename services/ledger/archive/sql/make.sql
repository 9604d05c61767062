-- make: a further partition of the log; PARTITION, BEGIN and END are replaced by its name and bounds.
create table PARTITION partition of event for values from (BEGIN) to (END)
