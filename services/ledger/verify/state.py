"""The writers' state, against accounts made anew from the log."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final
from uuid import UUID

import asyncpg

from services.ledger.domain.account import NEVER, Account, Lot
from services.ledger.storage.rows import account_of, balance_of, hold_of, lot_of, redemption_of, transit_of
from services.ledger.verify import SQL
from services.ledger.verify.passing import Pass
from services.ledger.verify.replay import Replayed
from services.ledger.verify.rows import Findings, Portions, Row

_KEPT_ELSEWHERE: Final = frozenset(
    {"balances", "lots", "holds", "redemptions", "transits", "decided_commands", "due_from"}
)
_ACCOUNT_FIELDS: Final = tuple(field.name for field in fields(Account) if field.name not in _KEPT_ELSEWHERE)

_TABLES: Final[Mapping[str, tuple[str, str, Callable[[Row], Any]]]] = {
    "balance": ("balances", SQL.balances, balance_of),
    "hold": ("holds", SQL.holds, hold_of),
    "redemption": ("redemptions", SQL.redemptions, redemption_of),
    "transit": ("transits", SQL.transits, transit_of),
}
"""Table to the field of Account, the statement, and what makes a row a part of the account; lots are many."""


async def compare_state(connection: asyncpg.Connection, findings: Findings, one: Pass, rows_at_once: int) -> None:
    """Compare every row of the state of a part's accounts; those that could not be made anew are passed over."""
    comparison = _Comparison(connection, findings, one, rows_at_once)
    await comparison.accounts()
    await comparison.lots()
    for table in _TABLES:
        await comparison.rows_of(table)


class _Comparison:
    def __init__(self, connection: asyncpg.Connection, findings: Findings, one: Pass, rows_at_once: int) -> None:
        self._connection = connection
        self._findings = findings
        self._part = one.part
        self._broken = one.broken
        self._replayed = {
            replayed.account_id: replayed
            for account_id, replayed in one.replayed.items()
            if account_id not in one.broken
        }
        self._expected: dict[UUID, Account] = {}
        self._rows_at_once = rows_at_once

    def _portions(self, statement: str) -> Portions:
        part = self._part
        return Portions(
            self._connection, statement, self._findings.shard, part.number, part.parts, at_once=self._rows_at_once
        )

    async def accounts(self) -> None:
        self._expected = {account_id: each.working.without_lots() for account_id, each in self._replayed.items()}
        missing = set(self._expected)
        portions = self._portions(SQL.accounts)
        while rows := await portions.take():
            for row in rows:
                account_id = row[0]
                if account_id in missing:
                    missing.remove(account_id)
                    self._compare_account(self._expected[account_id], self._replayed[account_id], tuple(row))
                elif str(account_id) not in self._broken:
                    self._findings.differs("unexpected", "account", account_id)
        for account_id in missing:
            self._findings.differs("missing", "account", account_id)

    def _compare_account(self, expected: Account, made: Replayed, row: Row) -> None:
        try:
            found = account_of(row)
        except ValueError as error:
            self._findings.differs("unreadable", "account", expected.account_id, "", repr(error))
            return
        for name in _ACCOUNT_FIELDS:
            mine, other = getattr(expected, name), getattr(found, name)
            if mine != other:
                self._findings.differs("altered", "account", f"{expected.account_id} {name}", mine, other)
        *_, due_at, known_at, position = row
        if (made.known_at, made.position) != (known_at, position):
            self._findings.differs(
                "altered", "account", f"{expected.account_id} known_at position",
                (made.known_at, made.position), (known_at, position),
            )  # fmt: skip
        due = made.working.next_instant()
        if (due_at or NEVER) > due:
            words = f"{None if due == NEVER else due} or earlier"
            self._findings.differs("altered", "account", f"{expected.account_id} due_at", words, due_at)

    async def lots(self) -> None:
        missing = {account_id: dict(each.working.lots()) for account_id, each in self._replayed.items()}
        portions = self._portions(SQL.lots)
        while rows := await portions.take():
            for row in rows:
                account_id, lot_id = row[0], row[1]
                of_account = missing.get(account_id)
                values = None if of_account is None else of_account.pop(lot_id, None)
                # In the order of Lot's fields, both: a lot is built only to say what is wrong with it.
                if values is not None and tuple(values) == row[1:]:
                    continue
                if str(account_id) not in self._broken:
                    self._compare("lot", (account_id, lot_id), None if values is None else Lot(*values), lot_of(row))
        for account_id, lots in missing.items():
            for lot_id, values in lots.items():
                self._findings.differs("missing", "lot", f"{account_id} {lot_id}", Lot(*values))

    async def rows_of(self, table: str) -> None:
        name, statement, make = _TABLES[table]
        missing = {
            (account_id, key): value
            for account_id, account in self._expected.items()
            for key, value in getattr(account, name).items()
        }
        portions = self._portions(statement)
        while rows := await portions.take():
            for row in rows:
                place = (row[0], row[1])
                if str(row[0]) in self._broken:
                    continue
                mine = missing.pop(place, None)
                lengths = {len(value) for value in row if isinstance(value, list)}
                if len(lengths) > 1:
                    self._findings.differs("altered", table, f"{place[0]} {place[1]}", mine, "arrays that do not match")
                    continue
                try:
                    found = make(tuple(row))
                except ValueError as error:
                    self._findings.differs("unreadable", table, f"{place[0]} {place[1]}", mine, repr(error))
                    continue
                self._compare(table, place, mine, found)
        for place, value in missing.items():
            self._findings.differs("missing", table, f"{place[0]} {place[1]}", value)

    def _compare(self, table: str, place: tuple[UUID, Any], expected: Any, found: Any) -> None:  # noqa: ANN401  # parts of an account
        if expected == found:
            return
        key = f"{place[0]} {place[1]}"
        if expected is None:
            self._findings.differs("unexpected", table, key, "", found)
            return
        wrong = [each.name for each in fields(expected) if getattr(expected, each.name) != getattr(found, each.name)]
        self._findings.differs(
            "altered", table, f"{key} {' '.join(wrong)}",
            [getattr(expected, each) for each in wrong], [getattr(found, each) for each in wrong],
        )  # fmt: skip
