"""One shard: its log from the first event to the last, and beside it its statement lines, verdicts and totals.

Memory does not grow with the log: rows come through cursors, and where a shard holds more lots than `lots_at_once`, its
accounts are replayed in parts, one pass over the log for each.
"""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg

from services.ledger.domain.books import BooksDoNotBalanceError
from services.ledger.domain.events import Movement
from services.ledger.projections.totals import WITHOUT_LOT, day_of
from services.ledger.verify import SQL
from services.ledger.verify.lines import Line, expected_lines, wrong_in
from services.ledger.verify.log import Chain, Entry, parsed
from services.ledger.verify.marks import compare_marks
from services.ledger.verify.part import Part
from services.ledger.verify.replay import Replayed, instant
from services.ledger.verify.report import Report
from services.ledger.verify.rows import Beside, Findings, Portions, Row
from services.ledger.verify.state import StateComparison
from services.ledger.verify.verdicts import Verdicts
from services.ledger.wire import REJECTED

ROWS_AT_ONCE: Final = 2_000
LOTS_AT_ONCE: Final = 200_000

Totals = defaultdict[tuple[Any, ...], list[int]]
"""Points and movements, by the key of a row of `daily_total` without its shard."""

_ACCOUNT_OF_EVENT: Final = 8
_ACCOUNT_OF_LINE: Final = 2
_SCALE: Final = 0
_DEBT: Final = 12


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is held in memory: lots of the accounts replayed at once, rows of each cursor."""

    lots_at_once: int = LOTS_AT_ONCE
    rows_at_once: int = ROWS_AT_ONCE


def day_in(text: str) -> str:
    """The day in UTC of an instant as the log writes it."""
    return text[:10] if text.endswith("+00:00") else day_of(instant(text)).isoformat()


async def verify_shard(connection: asyncpg.Connection, shard: int, limits: Limits) -> Report:
    """Check one shard, in one snapshot."""
    report = Report()
    findings = Findings(report, shard)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        marks = await connection.fetchrow(SQL.marks, shard)
        if marks is None:
            findings.differs("missing", "shard", shard)
            return report
        parts = 1 + marks["lots"] // limits.lots_at_once
        totals: Totals = defaultdict(lambda: [0, 0])
        for number in range(parts):
            chain = await _Pass(connection, findings, Part(number, parts), limits, totals).run()
            if number == 0:
                await compare_marks(connection, marks, chain, findings)
        await _compare_totals(Portions(connection, SQL.totals, shard, at_once=limits.rows_at_once), totals, findings)
    return report


class _Pass:
    """One pass over a shard's log; the first checks the log and the verdicts, every one replays its part."""

    def __init__(
        self, connection: asyncpg.Connection, findings: Findings, part: Part, limits: Limits, totals: Totals
    ) -> None:
        self._connection = connection
        self._findings = findings
        self._part = part
        self._limits = limits
        self._accounts: dict[UUID, Replayed] = {}
        self._broken: set[UUID] = set()
        self._totals = totals
        self._chain = Chain(findings)
        self._lines: deque[Row] = deque()
        self._verdicts = Verdicts(deque(), findings)

    async def run(self) -> Chain:
        """Read the log to its end, compare what follows from it, and give where it ended."""
        events = self._portions(SQL.events)
        lines, verdicts = Beside(self._portions(SQL.entries)), Beside(self._portions(SQL.movements))
        self._lines, self._verdicts = lines.ahead, Verdicts(verdicts.ahead, self._findings)
        while rows := await events.take():
            await lines.read(rows[-1][0])
            if self._part.number == 0:
                await verdicts.read(rows[-1][0])
            self._take(rows)
        await lines.read(None)
        self._skip_lines_before(None)
        if self._part.number == 0:
            await verdicts.read(None)
            self._verdicts.finish(end=True)
        await StateComparison(self._connection, self._findings, self._part, self._accounts).run(self._broken)
        return self._chain

    def _portions(self, statement: str) -> Portions:
        return Portions(self._connection, statement, self._findings.shard, 0, at_once=self._limits.rows_at_once)

    def _take(self, rows: Sequence[Row]) -> None:
        """Take in a portion of the log, with the lines and verdicts beside it read."""
        first = self._part.number == 0
        for row in rows:
            if first:
                self._chain.link(row)
            elif not self._part.has(row[_ACCOUNT_OF_EVENT]):
                continue
            entry = parsed(row, self._findings if first else None)
            if entry is None:
                continue
            if entry.type != REJECTED and self._part.has(entry.account_id):
                for line in self._replay(entry):
                    self._compare_line(line)
            if first:
                self._verdicts.take(entry)
        if first:
            self._findings.report.events += len(rows)

    def _replay(self, entry: Entry) -> list[Line]:
        """Apply an event to its account, and give the statement lines that follow from it."""
        account_id, content = entry.account_id, entry.content
        assert account_id is not None  # noqa: S101  # only accounts' own events come here
        replayed = self._accounts.get(account_id)
        if replayed is None:
            replayed = self._accounts[account_id] = Replayed(account_id, content)
        try:
            movements = replayed.take(content, entry.position)
            self._check_after(entry, replayed)
            self._count(content, movements, replayed)
            return expected_lines(entry.position, account_id, content, movements, replayed.known_at)
        except (ValueError, KeyError, TypeError, BooksDoNotBalanceError) as error:
            self._findings.differs("not_replayable", "event", f"position {entry.position}", "", repr(error))
            self._broken.add(account_id)
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

    def _count(self, content: Mapping[str, Any], movements: Sequence[Movement], replayed: Replayed) -> None:
        if not movements:
            return
        effective_on, recorded_on = day_in(content["data"]["effective_at"]), day_in(content["time"])
        spent_with = content["data"].get("details", {}).get("partner", "")
        for currency, lot_id, source, target, points in movements:
            expires_in, earned_with = WITHOUT_LOT if lot_id is None else replayed.origins[lot_id]
            sums = self._totals[
                replayed.tenant, replayed.programme, currency, effective_on, recorded_on, source, target, expires_in,
                earned_with, spent_with,
            ]  # fmt: skip
            sums[0] += points
            sums[1] += 1

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
            if self._part.has(line[_ACCOUNT_OF_LINE]):
                self._findings.differs("unexpected", "entry", f"position {line[0]} {line[1]}", "", line[2])


async def _compare_totals(portions: Portions, totals: Totals, findings: Findings) -> None:
    """Compare the totals of days with what the movements add up to."""
    while rows := await portions.take():
        for row in rows:
            *words, points, movements = row
            key = (*words[:3], *(day.isoformat() for day in words[3:5]), *words[5:])
            expected = totals.pop(key, [0, 0])
            if expected != [points, movements]:
                findings.differs("altered", "daily_total", " ".join(key), expected, [points, movements])
    for key, expected in totals.items():
        findings.differs("missing", "daily_total", " ".join(key), expected)
