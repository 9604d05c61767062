-- drop: remove a partition that was taken out; PARTITION is replaced by its name.
drop table PARTITION
