"""One pass over the log of a shard, with its statement lines and verdicts beside it."""

from collections import deque
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg

from contracts.topics import DEAD_LETTER_TYPE
from services.ledger.domain.account import Account
from services.ledger.domain.books import BooksDoNotBalanceError
from services.ledger.verify import SQL
from services.ledger.verify.lines import Line, expected_lines, wrong_in
from services.ledger.verify.log import Chain, Entry, parsed
from services.ledger.verify.part import Part
from services.ledger.verify.plan import Plan
from services.ledger.verify.replay import Replayed
from services.ledger.verify.restoring import restore_accounts
from services.ledger.verify.rows import Beside, Findings, Portions, Row
from services.ledger.verify.sources import log_of
from services.ledger.verify.sums import Sums
from services.ledger.verify.totals import add_to_totals
from services.ledger.verify.verdicts import Verdicts
from services.ledger.wire import REJECTED

_ACCOUNT_OF_EVENT: Final = 8
_ACCOUNT_OF_LINE: Final = 2
_SCALE: Final = 0
_DEBT: Final = 12


class Pass:
    """One pass over a shard's log; the first checks the log and the verdicts, every one replays its part.

    `broken` are accounts that cannot be made anew.
    """

    def __init__(self, connection: asyncpg.Connection, findings: Findings, part: Part, plan: Plan, sums: Sums) -> None:
        self.part = part
        self.broken: set[UUID] = set()
        self.replayed: dict[UUID, Replayed] = dict(restore_accounts(plan.since, findings.shard, part))
        self._connection = connection
        self._findings = findings
        self._plan = plan
        self._totals, self._letters = sums.totals, sums.letters
        self._chain = Chain(findings, plan.start(findings.shard), plan.anchored.get(findings.shard, {}))
        self._lines: deque[Row] = deque()
        self._verdicts = Verdicts(deque(), findings)

    async def run(self) -> Chain:
        """Read the log to its end, compare what follows from it, and give where it ended."""
        events = log_of(self._connection, self._plan, self._findings.shard, self.part)
        lines, verdicts = Beside(self._portions(SQL.entries)), Beside(self._portions(SQL.movements))
        self._lines, self._verdicts = lines.ahead, Verdicts(verdicts.ahead, self._findings)
        while rows := await events.take():
            await lines.read(rows[-1][0])
            if self.part.number == 0:
                await verdicts.read(rows[-1][0])
            self._take(rows)
        await lines.read(None)
        self._skip_lines_before(None)
        if self.part.number == 0:
            await verdicts.read(None)
            self._verdicts.finish(end=True)
        return self._chain

    def accounts(self) -> dict[UUID, Account]:
        """The accounts of the part after the last event; those that do not balance are named, and broken."""
        accounts = {}
        for account_id, each in self.replayed.items():
            if account_id not in self.broken:
                try:
                    accounts[account_id] = each.account()
                except BooksDoNotBalanceError as error:
                    self._findings.differs("not_conserved", "account", account_id, "", repr(error))
                    self.broken.add(account_id)
        self._findings.report.accounts += len(accounts)
        self._findings.report.lots += sum(len(account.lots) for account in accounts.values())
        return accounts

    def _portions(self, statement: str) -> Portions:
        shard, plan = self._findings.shard, self._plan
        start, end = plan.start(shard).position, plan.end(shard)
        return Portions(self._connection, statement, shard, start, end, at_once=plan.limits.rows_at_once)

    def _take(self, rows: Sequence[Row]) -> None:
        """Take in a portion of the log, with the lines and verdicts beside it read."""
        first = self.part.number == 0
        for row in rows:
            if first:
                self._chain.link(row)
            elif not self.part.has(row[_ACCOUNT_OF_EVENT]):
                continue
            entry = parsed(row, self._findings if first else None)
            if entry is None:
                continue
            if entry.type != REJECTED and self.part.has(entry.account_id):
                for line in self._replay(entry):
                    self._compare_line(line)
            if first:
                self._verdicts.take(entry)
                if entry.type == DEAD_LETTER_TYPE:
                    self._letters.take(entry)
        if first:
            self._findings.report.events += len(rows)

    def _replay(self, entry: Entry) -> list[Line]:
        """Apply an event to its account, and give the statement lines that follow from it."""
        account_id, content = entry.account_id, entry.content
        assert account_id is not None  # noqa: S101  # only accounts' own events come here
        replayed = self.replayed.get(account_id)
        if replayed is None:
            replayed = self.replayed[account_id] = Replayed.unopened(account_id, content)
        try:
            movements = replayed.take(content, entry.position)
            self._check_after(entry, replayed)
            add_to_totals(self._totals, content, movements, replayed)
            return expected_lines(entry.position, account_id, content, movements, replayed.known_at)
        except (ValueError, KeyError, TypeError, BooksDoNotBalanceError) as error:
            self._findings.differs("not_replayable", "event", f"position {entry.position}", "", repr(error))
            self.broken.add(account_id)
            return []

    def _check_after(self, entry: Entry, replayed: Replayed) -> None:
        """Compare the version and the balances that an event states with what it makes."""
        data, key = entry.content["data"], f"position {entry.position}"
        if data["version"] != replayed.working.version:
            self._findings.differs("wrong_version", "event", key, replayed.working.version, data["version"])
        for currency, after in data.get("balances", {}).items():
            values = replayed.working.balance(currency)
            made = (values[_SCALE], *values[5:9], values[_DEBT])
            stated = (
                after["scale"], after["pending"], after["available"], after["held"], after["in_transit"], after["debt"],
            )  # fmt: skip
            if made != stated:
                self._findings.differs("wrong_balance", "event", f"{key} {currency}", made, stated)
            came_in = values[1] + values[2] + values[3] - values[4]
            if came_in != sum(values[5:_DEBT]) - values[_DEBT]:
                self._findings.differs("not_conserved", "event", f"{key} {currency}", came_in, values[5 : _DEBT + 1])

    def _compare_line(self, line: Line) -> None:
        """Compare a statement line that follows from the log with the one that stands there."""
        place, key = (line[0], line[1]), f"position {line[0]} {line[1]}"
        self._skip_lines_before(place)
        if not self._lines or (self._lines[0][0], self._lines[0][1]) != place:
            self._findings.differs("missing", "entry", key, line)
            return
        self._findings.report.entries += 1
        found = tuple(self._lines.popleft())
        if found != line and (wrong := wrong_in(line, found)):
            self._findings.differs("altered", "entry", key, [mine for mine, _ in wrong], [its for _, its in wrong])

    def _skip_lines_before(self, place: tuple[int, str] | None) -> None:
        """Pass over lines that no event asks for; those of other parts' accounts are compared in their passes."""
        while self._lines and (place is None or (self._lines[0][0], self._lines[0][1]) < place):
            line = self._lines.popleft()
            if self.part.has(line[_ACCOUNT_OF_LINE]):
                self._findings.differs("unexpected", "entry", f"position {line[0]} {line[1]}", "", line[2])
