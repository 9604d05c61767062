"""The account decider: what the books may do, with no I/O, clock or randomness.

- `account`: the state: `Account`, `Balance`, `Lot`, `Hold`, `Redemption`, `Transit`; `unopened(...)` to start from.
- `commands`: what may be asked, beside the models of contracts.awards.
- `events`, `account_events`: what happens (`EVENTS`).
- `evolve`: `evolve(account, event) -> Account`, `replay(account, events)`.
- `due`: `due(account, now) -> list[Event]`, `next_due(account)`.
- `needs`: `needs(command) -> Needs`, `together(...)`: what to load before deciding.
- `decide`: `handle(account, command, guards, now) -> Outcome`, `catch_up(account, now) -> Outcome`.
- `guards`: `guards_at(programme, now) -> Guards`. `refusals`: every reason, named once.
- `books`: what must hold of every balance and lot.

The rest is one file per matter: accruals, reversals, redemptions, purchases, restores, holds, adjustments, transfers,
merges, lifecycle (open, freeze, close, erase, tier), inactivity.
"""
