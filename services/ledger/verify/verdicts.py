"""Verdicts on commands, against the events that they caused.

Events of one command stand together, and its verdict bears the position of the last of them; a refused command's is
that of its rejection. A command that changed nothing has a verdict and no event.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson

from contracts import ids
from services.ledger.onward import FORWARDED, OFFERED
from services.ledger.verify.asking import ASKING, BEHIND, NEVER_IDLE, answer_of, asked_otherwise, balances_of
from services.ledger.verify.copied import Read, instant_or_text, position_of, values_in
from services.ledger.verify.entry import Entry
from services.ledger.verify.rows import Findings
from services.ledger.wire import REJECTED

DUE: Final = frozenset(
    {
        "bonus.points.activated.v1",
        "bonus.points.expired.v1",
        "bonus.debt.settled.v1",
        "bonus.hold.timed-out.v1",
        "bonus.expiry.announced.v1",
        "bonus.transfer.sent.v1",
    }
)
"""What time alone may cause: no verdict stands behind it."""


class Verdict(NamedTuple):
    """A row of the statement `movements`."""

    position: int
    command_id: str
    account_id: str
    verdict: str
    code: str | None
    recorded_at: datetime | str
    answer: str | None
    request: str | None
    type: str


_COLUMNS: Final[Sequence[Read]] = (int, str, str, str, str, instant_or_text, str, str, str)


class Verdicts:
    """The verdicts of a shard, compared as the log goes by; `ahead` are their rows, as they are copied out."""

    def __init__(self, ahead: deque[str], findings: Findings) -> None:
        self._ahead = ahead
        self._findings = findings
        self._events: list[Entry] = []
        self._command_id = ""
        self._passed_on: dict[str, Verdict] = {}

    def take(self, entry: Entry) -> None:
        """One more event."""
        if entry.account_id is None:
            self.finish()
            if entry.type in {FORWARDED, OFFERED}:
                # The command that was passed on has the position of what was booked before this.
                while self._ahead and position_of(self._ahead[0]) < entry.position:
                    self._without_event(self._next())
                self._passed_on.pop(entry.content["id"], None)
            return
        command_id = entry.data.command_id
        if command_id == self._command_id:
            self._events.append(entry)
            return
        if self._events:
            self._conclude(self._events[-1])
        self._events, self._command_id = [entry], command_id

    def finish(self, *, end: bool = False) -> None:
        """No more events of the command in hand, or (`end`) of the log."""
        if self._events:
            self._conclude(self._events[-1])
        self._events, self._command_id = [], ""
        if end:
            while self._ahead:
                self._without_event(self._next())
            for row in self._passed_on.values():
                self._unexpected(row)

    def _next(self) -> Verdict:
        return Verdict(*values_in(self._ahead.popleft(), _COLUMNS))

    def _conclude(self, last: Entry) -> None:
        """Look for the verdict on the command in hand, whose last event this is."""
        ahead, command_id = self._ahead, self._command_id
        if last.type in DUE and len(self._events) == 1 and not (ahead and ahead[0].startswith(f"{last.position}\t")):
            # Time alone caused it, as it does half of the log.
            return
        if ahead and last.type != REJECTED:
            row = ahead[0]
            # As of most commands: applied, and nobody waits for an answer.
            usual = f"{last.position}\t{command_id}\t{last.account_id}\tapplied\t\\N\t{last.recorded_as}\t\\N\t\\N\t"
            if row.startswith(usual) and row[len(usual) :] in BEHIND.get(last.type, ASKING):
                ahead.popleft()
                return
        found = False
        while ahead and position_of(ahead[0]) <= last.position:
            verdict = self._next()
            if (verdict.position, verdict.command_id) == (last.position, command_id):
                found = True
                try:
                    self._compare(verdict, last)
                except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
                    # An event that was altered says no more what its command led to; or the answer is no JSON object.
                    self._findings.differs("unreadable", "movement", command_id, "", repr(error))
            else:
                self._without_event(verdict)
        if not found and any(each.type not in DUE for each in self._events):
            self._findings.differs("missing", "movement", command_id, f"a verdict at position {last.position}")

    def _compare(self, row: Verdict, last: Entry) -> None:
        details, refused = last.data.details, last.type == REJECTED
        expected = [last.account_id, "applied", None, last.recorded_at, row.type]
        if refused:
            expected[1:3] = "refused", last.content["data"]["refusal"]["code"]
            # A release that did not state it said nothing of what was asked either.
            expected[4] = details.get("command", row.type)
        elif row.type not in BEHIND.get(last.type, ASKING):
            expected[4] = f"what leads to {last.type}"
        found = [row.account_id, row.verdict, row.code, row.recorded_at, row.type]
        if expected != found:
            self._findings.differs("altered", "movement", row.command_id, expected, found)
        # A record that was rebuilt has an answer, and no request: the log has that of refusals alone.
        lost = row.request is None and refused and "asked" in details
        if lost or (row.request is not None and row.answer is None):
            self._findings.differs("altered", "movement", f"{row.command_id} request", "with an answer", row.request)
        elif row.answer is not None:
            self._compare_answer(row, orjson.loads(row.answer), last)

    def _compare_answer(self, row: Verdict, answer: Mapping[str, Any], last: Entry) -> None:
        request = None if row.request is None else orjson.loads(row.request)
        wrong: list[str] = []
        if last.type == REJECTED:
            refusal = last.content["data"]["refusal"]
            expected: dict[str, Any] = {"message": refusal["message"], "facts": refusal["facts"]}
            found: dict[str, Any] = dict(answer)
            if request != last.data.details.get("asked"):
                wrong = ["request"]
        else:
            expected = answer_of(self._events)
            found = {name: answer.get(name) for name in expected}
            if answer.get("version") == last.data.version:
                expected |= {"balances": balances_of(last.data)}
                found["balances"] = {name: answer.get("balances", {}).get(name) for name in expected["balances"]}
            if request is not None:
                wrong = [*asked_otherwise(row.type, request, self._events, expected)]
        if expected != found:
            self._findings.differs("altered", "movement", row.command_id, expected, found)
        if wrong:
            self._findings.differs("altered", "movement", f"{row.command_id} {' '.join(wrong)}", expected, row.request)

    def _without_event(self, row: Verdict) -> None:
        """A command that changed nothing, waits, or was passed on."""
        if row.verdict == "redirected" and row.code is None:
            # Points on their way to an account that was taken up are offered to the other; all else is forwarded.
            kind = OFFERED if row.type == OFFERED else FORWARDED
            self._passed_on[str(ids.event_of(kind, UUID(row.command_id)))] = row
        elif row.verdict not in {"applied", "waiting"} or row.code is not None or row.type not in ASKING:
            self._unexpected(row)
        elif row.verdict == "applied":
            mine = {"command_id": row.command_id, "account_id": row.account_id}
            answer = mine if row.answer is None else orjson.loads(row.answer)
            if row.type in NEVER_IDLE or not isinstance(answer, dict) or not mine.items() <= answer.items():
                self._unexpected(row)

    def _unexpected(self, row: Verdict) -> None:
        words = f"{row.verdict} {row.code} {row.type}"
        self._findings.differs("unexpected", "movement", row.command_id, "an event that tells of it", words)
