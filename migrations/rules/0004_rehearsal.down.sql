-- What 0004_rehearsal.up.sql made.

drop table rehearsal_part;
drop table rehearsal;
