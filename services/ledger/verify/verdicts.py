"""Verdicts on commands, against the events that they caused.

Events of one command stand together, and its verdict bears the position of the last of them; a refused command's is
that of its rejection. A command that changed nothing has a verdict and no event.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

from contracts.amounts import format_points
from services.ledger.verify.log import Entry
from services.ledger.verify.replay import instant
from services.ledger.verify.rows import Findings, Row
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


@dataclass(slots=True)
class Command:
    """The events of one command, as far as they were read."""

    command_id: str
    account_id: UUID | None
    last: int
    content: Mapping[str, Any]
    caused_by_time: bool


class Verdicts:
    """The verdicts of a shard, compared as the log goes by."""

    def __init__(self, ahead: deque[Row], findings: Findings) -> None:
        self._ahead = ahead
        self._findings = findings
        self._command: Command | None = None

    def take(self, entry: Entry) -> None:
        """One more event."""
        command_id = entry.content["data"]["command_id"] if entry.account_id is not None else ""
        command = self._command
        if command is not None and command.command_id == command_id:
            command.last, command.content = entry.position, entry.content
            command.caused_by_time = command.caused_by_time and entry.type in DUE
            return
        self.finish()
        if entry.account_id is not None:
            self._command = Command(command_id, entry.account_id, entry.position, entry.content, entry.type in DUE)

    def finish(self, *, end: bool = False) -> None:
        """No more events of the command in hand, or (`end`) of the log."""
        command, self._command = self._command, None
        if command is not None:
            self._conclude(command)
        while end and self._ahead:
            self._without_event(self._ahead.popleft())

    def _conclude(self, command: Command) -> None:
        ahead = self._ahead
        found = False
        while ahead and ahead[0][0] <= command.last:
            row = ahead.popleft()
            if row[0] == command.last and str(row[1]) == command.command_id:
                found = True
                self._compare(row, command)
            else:
                self._without_event(row)
        if not found and not command.caused_by_time:
            self._findings.differs("missing", "movement", command.command_id, f"a verdict at position {command.last}")

    def _compare(self, row: Row, command: Command) -> None:
        _, command_id, account_id, verdict, code, answer, recorded_at = row
        content = command.content
        refused = content["type"] == REJECTED
        expected = (
            command.account_id,
            "refused" if refused else "applied",
            content["data"]["refusal"]["code"] if refused else None,
            instant(content["time"]),
        )
        found = (account_id, verdict, code, recorded_at)
        if expected != found:
            self._findings.differs("altered", "movement", command_id, expected, found)
        if answer is not None:
            self._compare_answer(str(command_id), orjson.loads(answer), content)

    def _compare_answer(self, command_id: str, answer: Mapping[str, Any], content: Mapping[str, Any]) -> None:
        data = content["data"]
        if content["type"] == REJECTED:
            expected: dict[str, Any] = {"message": data["refusal"]["message"], "facts": data["refusal"]["facts"]}
            found: dict[str, Any] = dict(answer)
        else:
            expected = {"command_id": data["command_id"], "account_id": data["account_id"]}
            found = {name: answer.get(name) for name in expected}
            if answer.get("version") == data["version"]:
                for currency, after in data.get("balances", {}).items():
                    expected[currency] = {
                        name: format_points(after[name], after["scale"])
                        for name in ("pending", "available", "held", "debt")
                    }
                    found[currency] = answer.get("balances", {}).get(currency)
        if expected != found:
            self._findings.differs("altered", "movement", command_id, expected, found)

    def _without_event(self, row: Row) -> None:
        if row[3] not in {"applied", "waiting", "redirected"} or row[4] is not None:
            self._findings.differs("unexpected", "movement", row[1], "an event that tells of it", f"{row[3]} {row[4]}")
