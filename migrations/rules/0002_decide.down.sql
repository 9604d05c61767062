-- What 0002_decide.up.sql made.

drop table budget_grant;
drop table budget;
drop table budget_ask;
drop table programme_version;
drop table programme;
drop table waiting_receipt;
drop table command_verdict;
drop table decision;
drop table participant;
