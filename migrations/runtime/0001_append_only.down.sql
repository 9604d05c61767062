-- 0001_append_only, taken back; before the tables of the log are dropped.

drop trigger event_is_append_only on event_rest;
drop trigger event_is_append_only on event_first;
drop trigger event_is_append_only on event;
drop function refuse_change();
