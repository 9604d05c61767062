-- What 0003_quotes.up.sql made.

drop table known_lot;
drop table known_account;
