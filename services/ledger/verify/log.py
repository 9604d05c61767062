"""The log itself: positions, hashes, and the columns beside the bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import orjson

from contracts.topics import DEAD_LETTER_TYPE
from services.ledger.domain.account_events import EVENTS
from services.ledger.onward import ACCEPTED, FORWARDED, OFFERED, REFUSED
from services.ledger.proof.heads import Head
from services.ledger.verify.replay import instant, uuid
from services.ledger.verify.rows import Findings, Row
from services.ledger.wire import REJECTED

OF_ACCOUNTS: Final = frozenset({*EVENTS, REJECTED})
"""Types that stand in the history of an account."""

_KEYS: Final[Mapping[str, str]] = {
    OFFERED: "to_account_id",
    ACCEPTED: "from_account_id",
    REFUSED: "from_account_id",
    FORWARDED: "account_id",
    DEAD_LETTER_TYPE: "dead_letter_id",
}
"""The other types, and the field of their data that is their key."""

_POSITION: Final = 0
_BODY: Final = 6
_HASH: Final = 7


@dataclass(frozen=True, slots=True)
class Entry:
    """An event of the log, parsed; `account_id` None: an entry of the runtime's own."""

    position: int
    type: str
    account_id: UUID | None
    content: Mapping[str, Any]


class Chain:
    """The hashes of a shard, one after the other, from a head on; `anchored` are those that somebody signed."""

    def __init__(self, findings: Findings, start: Head, anchored: Mapping[int, set[bytes]]) -> None:
        self.position, self.digest = start
        self._findings = findings
        self._anchored = anchored

    def link(self, row: Row) -> None:
        """Check that a row follows on the one before, and that its hash is that of its bytes on top of it."""
        position = row[_POSITION]
        if position != self.position + 1:
            self._findings.differs("gap", "event", f"position {self.position + 1}", "", f"position {position}")
        digest = sha256(self.digest + row[_BODY]).digest()
        if digest != row[_HASH]:
            self._findings.differs("broken_hash", "event", f"position {position}", digest.hex(), row[_HASH].hex())
        # On with the hash that stands there: an altered row is named once, and not every row after it.
        self.position, self.digest = position, row[_HASH]
        if position in self._anchored:
            compare_anchor(self._anchored[position], Head(position, self.digest), self._findings)


def compare_anchor(signed: set[bytes], found: Head, findings: Findings) -> None:
    """Compare the hash at a position with what was signed of it."""
    if signed != {found.hash}:
        words = " and ".join(sorted(each.hex() for each in signed))
        findings.differs("rewritten", "event", f"position {found.position}", words, found.hash.hex())


def parsed(row: Row, findings: Findings | None) -> Entry | None:
    """The event in a row; with `findings` its columns are compared with its bytes. None: it cannot be read."""
    position, event_id, key, kind, recorded_at, traceparent, body, _, account_id, version = row
    try:
        content = orjson.loads(body)
        data = content["data"]
        stated = content["type"]
        beside = [str(event_id), kind, recorded_at, traceparent, key]
        within = [content["id"], stated, instant(content["time"]), content.get("traceparent")]
        if stated in OF_ACCOUNTS:
            account_id, beside = uuid(data["account_id"]), [*beside, str(account_id), version]
            within += [data["account_id"], data["account_id"], data["version"]]
        else:
            account_id, beside = None, [*beside, account_id, version]
            within += [data[_KEYS[stated]], None, None]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if findings is not None:
            findings.differs("unreadable", "event", f"position {position}", "", repr(error))
        return None
    if findings is not None and beside != within:
        wrong = [(mine, other) for mine, other in zip(within, beside, strict=True) if mine != other]
        findings.differs(
            "altered", "event", f"position {position}", [mine for mine, _ in wrong], [other for _, other in wrong]
        )
    return Entry(position, content["type"], account_id, content)
