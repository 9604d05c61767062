drop table archive;
drop table event_0000750000;
drop table event_0000500000;
drop table event_0000250000;
alter table event detach partition event_first;
alter table event attach partition event_first for values from (0) to (50000000);
