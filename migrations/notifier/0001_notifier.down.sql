-- 0001_notifier: takes back what the up file made.

drop table confirmation;
drop table standing;
drop table delivery;
drop table programme;
drop table recipient;
