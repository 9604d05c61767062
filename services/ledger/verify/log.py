"""The log itself: positions, hashes, and the columns beside the bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import orjson

from services.ledger.verify.replay import instant, uuid
from services.ledger.verify.rows import Findings, Row

NO_HASH: Final = bytes(32)
"""What the first event of a shard stands on."""

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
    """The hashes of a shard, one after the other."""

    def __init__(self, findings: Findings) -> None:
        self.position = 0
        self.digest = NO_HASH
        self._findings = findings

    def link(self, row: Row) -> None:
        """Check that a row follows on the one before, and that its hash is that of its bytes on top of it."""
        if row[_POSITION] != self.position + 1:
            self._findings.differs("gap", "event", f"position {self.position + 1}", "", f"position {row[_POSITION]}")
        digest = sha256(self.digest + row[_BODY]).digest()
        if digest != row[_HASH]:
            self._findings.differs("broken_hash", "event", f"position {row[_POSITION]}", digest.hex(), row[_HASH].hex())
        # On with the hash that stands there: an altered row is named once, and not every row after it.
        self.position, self.digest = row[_POSITION], row[_HASH]


def parsed(row: Row, findings: Findings | None) -> Entry | None:
    """The event in a row; with `findings` its columns are compared with its bytes. None: it cannot be read."""
    position, event_id, key, kind, recorded_at, traceparent, body, _, account_id, version = row
    try:
        content = orjson.loads(body)
        data = content["data"]
        beside = [str(event_id), kind, recorded_at, traceparent]
        within = [content["id"], content["type"], instant(content["time"]), content.get("traceparent")]
        if account_id is not None:
            beside += [key, str(account_id), version]
            within += [data["account_id"], data["account_id"], data["version"]]
            account_id = uuid(data["account_id"])
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
