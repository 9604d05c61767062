drop table purchase_return;
drop table purchase_index;
drop table refusal;
drop table kept;
drop table activity;
drop table purchase;
drop table holding;
