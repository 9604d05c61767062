"""The log itself: positions, hashes, and the columns beside the bytes."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import zip_longest
from typing import Final

import orjson

from contracts.topics import DEAD_LETTER_TYPE
from services.ledger.domain.account_events import EVENTS
from services.ledger.onward import ACCEPTED, FORWARDED, OFFERED, REFUSED
from services.ledger.proof.heads import Head
from services.ledger.verify.copied import NULL
from services.ledger.verify.entry import Entry, Envelope, envelope_in, instant, stamp
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

POSITION: Final = 0
_COLUMNS: Final = 1
_BODY: Final = 2
_HASH: Final = 3


class Chain:
    """The hashes of a shard, one after the other, from a head on; `anchored` are those that somebody signed."""

    def __init__(self, findings: Findings, start: Head, anchored: Mapping[int, set[bytes]]) -> None:
        self.position, self.digest = start
        self._findings = findings
        self._anchored = anchored

    def link(self, rows: Sequence[Row]) -> None:
        """Check that rows follow on those before, and that each hash is that of its bytes on top of the one before it.

        Each is made from the hash that stands before it: an altered row is named once, and not every row after it.
        """
        positions, hashes = [row[POSITION] for row in rows], [row[_HASH] for row in rows]
        before = (self.digest, *hashes)
        made = [sha256(prior + row[_BODY]).digest() for prior, row in zip(before, rows, strict=False)]
        if made != hashes or positions != list(range(self.position + 1, self.position + 1 + len(rows))):
            self._name_breaks(positions, made, hashes)
        if self._anchored:
            for head in map(Head, positions, hashes):
                if head.position in self._anchored:
                    compare_anchor(self._anchored[head.position], head, self._findings)
        self.position, self.digest = positions[-1], hashes[-1]

    def _name_breaks(self, positions: Sequence[int], made: Sequence[bytes], hashes: Sequence[bytes]) -> None:
        expected = self.position + 1
        for position, digest, stated in zip(positions, made, hashes, strict=True):
            if position != expected:
                self._findings.differs("gap", "event", f"position {expected}", "", f"position {position}")
            if digest != stated:
                self._findings.differs("broken_hash", "event", f"position {position}", digest.hex(), stated.hex())
            expected = position + 1


def compare_anchor(signed: set[bytes], found: Head, findings: Findings) -> None:
    """Compare the hash at a position with what was signed of it."""
    if signed != {found.hash}:
        words = " and ".join(sorted(each.hex() for each in signed))
        findings.differs("rewritten", "event", f"position {found.position}", words, found.hash.hex())


def parsed(row: Row, findings: Findings | None) -> Entry | None:
    """The event in a row; with `findings` its columns are compared with its bytes. None: it cannot be read."""
    body = row[_BODY]
    try:
        envelope, fault = envelope_in(body)
        data, kind, time = envelope.data, envelope.type, envelope.time
        recorded_at, recorded_as = instant(time), stamp(time)
        account_id = data.account_id if kind in OF_ACCOUNTS else None
        key = orjson.loads(body)["data"][_KEYS[kind]] if account_id is None else account_id
        if not isinstance(key, str):
            raise TypeError(f"its key is {key!r}")  # noqa: TRY301  # named as all else that keeps it from being read
        within = "" if findings is None else columns_of(envelope, recorded_as, key)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if findings is not None:
            findings.differs("unreadable", "event", f"position {row[POSITION]}", "", repr(error))
        return None
    if findings is not None and within != row[_COLUMNS]:
        mine, its = within.split("\t"), row[_COLUMNS].split("\t")
        wrong = [(one, other) for one, other in zip_longest(mine, its) if one != other]
        findings.differs(
            "altered", "event", f"position {row[POSITION]}", [one for one, _ in wrong], [other for _, other in wrong]
        )
    return Entry(row[POSITION], kind, account_id, recorded_at, recorded_as, time, envelope.tenant, data, body, fault)


def columns_of(envelope: Envelope, recorded_as: str, key: str) -> str:
    """The columns beside an event's bytes as they follow from these, in the order of the statement `events`."""
    kind, data = envelope.type, envelope.data
    beside = f"{envelope.id}\t{kind}\t{recorded_as}\t{envelope.traceparent or NULL}\t{key}"
    return f"{beside}\t{data.account_id}\t{data.version}" if kind in OF_ACCOUNTS else beside
