"""Records of commands as they follow from the log: verdict, code, place and instant; the answer as far as it is there.

The message that asked is not in the log. Its type is given as what usually leads to such an event.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from contracts.amounts import format_points
from services.ledger.onward import FORWARDED
from services.ledger.verify.asking import USUALLY
from services.ledger.verify.entry import Entry, instant, uuid
from services.ledger.verify.verdicts import DUE
from services.ledger.wire import REJECTED

Values = tuple[Any, ...]

_ANSWERED: Final = ("pending", "available", "held", "debt")


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
    content = done.last.content
    data, recorded_at = content["data"], instant(content["time"])
    place = (done.last.position, recorded_at)
    command_id, account_id = uuid(done.command_id), done.last.account_id
    if content["type"] == REJECTED:
        details, refusal = data.get("details", {}), data["refusal"]
        answer = {"message": refusal["message"], "facts": refusal["facts"]}
        asked = details.get("asked")
        request = None if asked is None else orjson.dumps(asked).decode()
        kind = details.get("command", "")
        return (shard, command_id, account_id, kind, "refused", refusal["code"], request, _json(answer), *place)
    kind = USUALLY.get(done.last.type) or USUALLY.get(done.first.type, FORWARDED)
    return (shard, command_id, account_id, kind, "applied", None, None, _json(_answer(done, account_id)), *place)


def _answer(done: _Open, account_id: str | None) -> dict[str, Any]:
    data = done.last.content["data"]
    return {
        "command_id": done.command_id,
        "account_id": account_id,
        "version": data["version"],
        "position": done.last.position,
        "recorded_at": done.last.content["time"],
        "balances": {
            currency: {name: format_points(after[name], after["scale"]) for name in _ANSWERED}
            for currency, after in data.get("balances", {}).items()
            # An event that was altered is named elsewhere; it must not stand in the way of the others.
            if after.keys() >= {"scale", *_ANSWERED}
        },
    }


def _json(value: Any) -> str:  # noqa: ANN401 - any JSON
    return orjson.dumps(value).decode()
