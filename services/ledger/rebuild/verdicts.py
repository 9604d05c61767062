"""Records of commands as they follow from the log: verdict, code, place and instant; the answer as far as it is there.

The message that asked is not in the log. Its type is given as what usually leads to such an event.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from services.ledger.onward import FORWARDED
from services.ledger.verify.asking import USUALLY, balances_of
from services.ledger.verify.entry import Entry, uuid
from services.ledger.verify.verdicts import DUE
from services.ledger.wire import REJECTED

Values = tuple[Any, ...]


@dataclass(slots=True)
class _Open:
    command_id: str
    first: Entry
    last: Entry
    due: bool


class Decided:
    """The commands of a shard, as their events go by."""

    def __init__(self, shard: int) -> None:
        self._shard = shard
        self._open: _Open | None = None

    def take(self, entry: Entry) -> Iterator[Values]:
        """One more event; gives the record of the command that ended before it, as a row of `movement`."""
        command_id = entry.data.command_id if entry.account_id is not None else ""
        if self._open is not None and self._open.command_id == command_id:
            self._open.last, self._open.due = entry, self._open.due and entry.type in DUE
            return
        yield from self.finish()
        if entry.account_id is not None:
            self._open = _Open(command_id, entry, entry, entry.type in DUE)

    def finish(self) -> Iterator[Values]:
        """No more events for now: the record of the command in hand."""
        done, self._open = self._open, None
        if done is not None and not done.due:
            yield _row(self._shard, done)


def _row(shard: int, done: _Open) -> Values:
    last = done.last
    place = (last.position, last.recorded_at)
    command_id, account_id = uuid(done.command_id), last.account_id
    if last.type == REJECTED:
        details, refusal = last.data.details, last.content["data"]["refusal"]
        answer = {"message": refusal["message"], "facts": refusal["facts"]}
        asked = details.get("asked")
        request = None if asked is None else orjson.dumps(asked).decode()
        kind = details.get("command", "")
        return (shard, command_id, account_id, kind, "refused", refusal["code"], request, _json(answer), *place)
    kind = USUALLY.get(last.type) or USUALLY.get(done.first.type, FORWARDED)
    return (shard, command_id, account_id, kind, "applied", None, None, _json(_answer(done)), *place)


def _answer(done: _Open) -> dict[str, Any]:
    last = done.last
    return {
        "command_id": done.command_id,
        "account_id": last.account_id,
        "version": last.data.version,
        "position": last.position,
        "recorded_at": last.time,
        "balances": balances_of(last.data),
    }


def _json(value: Any) -> str:  # noqa: ANN401 - any JSON
    return orjson.dumps(value).decode()
