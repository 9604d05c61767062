"""One pass over the log of a shard, with its statement lines and verdicts beside it."""

from collections import deque
from collections.abc import Sequence
from operator import itemgetter
from typing import Final

from contracts.topics import DEAD_LETTER_TYPE
from services.ledger.domain.books import BooksDoNotBalanceError
from services.ledger.domain.events import Movement
from services.ledger.verify import SQL
from services.ledger.verify.copied import Copied, values_in
from services.ledger.verify.entry import Entry
from services.ledger.verify.lines import COLUMNS, expected_lines, expected_texts, wrong_in
from services.ledger.verify.log import POSITION, Chain, parsed
from services.ledger.verify.part import Part
from services.ledger.verify.plan import Plan
from services.ledger.verify.reading import Reading
from services.ledger.verify.replay import Replayed
from services.ledger.verify.restoring import restore_accounts
from services.ledger.verify.rows import Findings, Row
from services.ledger.verify.sources import log_of
from services.ledger.verify.sums import Sums
from services.ledger.verify.totals import add_to_totals
from services.ledger.verify.verdicts import Verdicts
from services.ledger.wire import REJECTED

_MADE: Final = itemgetter(0, 5, 6, 7, 8, 12)
"""What an event states of a balance, among its working values."""


class Pass:
    """One pass over a shard's log; the first checks the log and the verdicts, every one replays its part.

    `broken` are accounts that cannot be made anew.
    """

    def __init__(self, reading: Reading, findings: Findings, part: Part, plan: Plan, sums: Sums) -> None:
        self.part = part
        self.broken: set[str] = set()
        self.replayed: dict[str, Replayed] = dict(restore_accounts(plan.since, findings.shard, part))
        self._reading = reading
        self._findings = findings
        self._plan = plan
        self._totals, self._letters = sums.totals, sums.letters
        self._chain = Chain(findings, plan.start(findings.shard), plan.anchored.get(findings.shard, {}))
        self._lines: deque[str] = deque()
        self._verdicts = Verdicts(deque(), findings)

    async def run(self) -> Chain:
        """Read the log to its end, compare what follows from it, and give where it ended."""
        reading, part, shard, plan = self._reading, self.part, self._findings.shard, self._plan
        start, end = plan.start(shard).position, plan.end(shard)
        lines = Copied(reading.lines, SQL.entries, shard, start, end, part.number, part.parts)
        beside = [lines]
        if part.number == 0:
            verdicts = Copied(reading.verdicts, SQL.movements, shard, start, end)
            beside.append(verdicts)
            self._verdicts = Verdicts(verdicts.ahead, self._findings)
        self._lines = lines.ahead
        try:
            events = log_of(reading.main, plan, shard, part)
            while rows := await events.take():
                for each in beside:
                    await each.read(rows[-1][POSITION])
                self._take(rows)
            for each in beside:
                await each.read(None)
        finally:
            for each in beside:
                await each.close()
        self._skip_lines_before(None)
        if part.number == 0:
            self._verdicts.finish(end=True)
        return self._chain

    def settle(self) -> None:
        """No more events: accounts that do not balance are named, and broken."""
        for account_id, each in self.replayed.items():
            if account_id not in self.broken:
                try:
                    each.settle()
                except BooksDoNotBalanceError as error:
                    self._findings.differs("not_conserved", "account", account_id, "", repr(error))
                    self.broken.add(account_id)
        whole = [each for account_id, each in self.replayed.items() if account_id not in self.broken]
        self._findings.report.accounts += len(whole)
        self._findings.report.lots += sum(len(each.working.lots()) for each in whole)

    def _take(self, rows: Sequence[Row]) -> None:
        """Take in a portion of the log, with the lines and verdicts beside it read."""
        first, whole = self.part.number == 0, self.part.parts == 1
        if first:
            self._chain.link(rows)
            self._findings.report.events += len(rows)
        for row in rows:
            entry = parsed(row, self._findings if first else None)
            if entry is None:
                continue
            account_id = entry.account_id
            if account_id is not None and entry.type != REJECTED and (whole or self.part.has(account_id)):
                self._replay(entry, account_id)
            if first:
                self._verdicts.take(entry)
                if entry.type == DEAD_LETTER_TYPE:
                    self._letters.take(entry)

    def _replay(self, entry: Entry, account_id: str) -> None:
        """Apply an event to its account, and compare the statement lines that follow from it."""
        try:
            replayed = self.replayed.get(account_id)
            if replayed is None:
                replayed = self.replayed[account_id] = Replayed.unopened(entry)
            movements = replayed.take(entry)
            self._check_after(entry, replayed)
            add_to_totals(self._totals, entry, movements, replayed)
            lines = expected_texts(entry, movements, replayed)
        except (ValueError, KeyError, TypeError, AttributeError, BooksDoNotBalanceError) as error:
            self._findings.differs("not_replayable", "event", f"position {entry.position}", "", repr(error))
            self.broken.add(account_id)
            return
        for number, line in enumerate(lines):
            if self._lines and self._lines[0] == line:
                self._lines.popleft()
                self._findings.report.entries += 1
            else:
                self._look_closer(entry, movements, replayed, number)

    def _check_after(self, entry: Entry, replayed: Replayed) -> None:
        """Compare the version and the balances that an event states with what it makes.

        That these add up is checked at the end of the log: no movement makes them add up again.
        """
        working = replayed.working
        if entry.data.version != working.version:
            place = f"position {entry.position}"
            self._findings.differs("wrong_version", "event", place, working.version, entry.data.version)
        for currency, after in entry.data.balances.items():
            made = _MADE(working.balance(currency))
            stated = (after.scale, after.pending, after.available, after.held, after.in_transit, after.debt)
            if made != stated:
                place = f"position {entry.position} {currency}"
                self._findings.differs("wrong_balance", "event", place, made, stated)

    def _look_closer(self, entry: Entry, movements: Sequence[Movement], replayed: Replayed, number: int) -> None:
        """Compare a statement line that follows from the log with the one that stands there, value by value."""
        line = expected_lines(entry, movements, replayed)[number]
        place, key = (line[0], line[1]), f"position {line[0]} {line[1]}"
        self._skip_lines_before(place)
        if not self._lines or _place_of(self._lines[0]) != place:
            self._findings.differs("missing", "entry", key, line)
            return
        self._findings.report.entries += 1
        found = tuple(values_in(self._lines.popleft(), COLUMNS))
        if found != line and (wrong := wrong_in(line, found)):
            self._findings.differs("altered", "entry", key, [mine for mine, _ in wrong], [its for _, its in wrong])

    def _skip_lines_before(self, place: tuple[int, str] | None) -> None:
        """Pass over lines that no event asks for."""
        while self._lines and (place is None or _place_of(self._lines[0]) < place):
            position, currency, account_id, *_ = values_in(self._lines.popleft(), COLUMNS)
            self._findings.differs("unexpected", "entry", f"position {position} {currency}", "", account_id)


def _place_of(line: str) -> tuple[int, str]:
    position, currency, *_ = values_in(line, COLUMNS)
    return position, currency
