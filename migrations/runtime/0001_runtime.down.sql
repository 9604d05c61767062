-- 0001_runtime, taken back.

drop table idempotency_key;
drop table dead_letter;
drop table data_key;
drop table consumer_offset;
drop table relay_position;
drop table event;
drop table shard;
