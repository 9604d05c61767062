"""Messages that were set aside, against the references to them in the log."""

from collections.abc import Mapping
from typing import Any, Final

import asyncpg

from contracts.ids import derive
from services.ledger.verify import SQL
from services.ledger.verify.entry import Entry, instant
from services.ledger.verify.rows import Findings

_FIELDS: Final = ("topic", "partition", "offset", "code", "message", "set_aside_at", "traceparent", "record_sha256")
_COLUMNS: Final = (
    "topic", "partition", "kafka_offset", "code", "message", "set_aside_at", "traceparent", "record_sha256",
)  # fmt: skip


class Letters:
    """What the log says of the messages of a shard that were set aside, by their ids."""

    def __init__(self) -> None:
        self._said: dict[str, list[Any]] = {}

    def take(self, entry: Entry) -> None:
        """One more reference."""
        data = {**entry.content["data"], "traceparent": entry.content.get("traceparent")}
        self._said[data["dead_letter_id"]] = [data.get(name) for name in _FIELDS]

    def restore(self, values: list[Any]) -> None:
        """One that a snapshot holds."""
        self._said[values[0]] = values[1:]

    def all(self) -> list[list[Any]]:
        """All, as a snapshot holds them."""
        return [[letter_id, *values] for letter_id, values in sorted(self._said.items())]

    async def compare(self, connection: asyncpg.Connection, findings: Findings) -> None:
        """Compare the table with them."""
        missing = dict(self._said)
        for row in await connection.fetch(SQL.letters, findings.shard):
            said = missing.pop(str(row["dead_letter_id"]), None)
            if said is None:
                findings.differs("unexpected", "dead_letter", row["dead_letter_id"])
            else:
                _compare(row, said, findings)
        for letter_id, said in missing.items():
            findings.differs("missing", "dead_letter", letter_id, said)


def _compare(row: Mapping[str, Any], said: list[Any], findings: Findings) -> None:
    found = [row[name] for name in _COLUMNS]
    expected = [*said[:5], instant(said[5]), *said[6:]]
    if expected[-1] is None:
        # A reference of a release that did not state it.
        expected[-1] = found[-1]
    known_as = derive("dead-letter", row["processor"], row["topic"], str(row["partition"]), str(row["kafka_offset"]))
    if expected != found or known_as != row["dead_letter_id"]:
        findings.differs("altered", "dead_letter", row["dead_letter_id"], expected, found)
    marked = (row["replayed_at"] is not None, row["replayed_by"] is not None)
    if marked != ((row["state"] != "set_aside",) * 2):
        findings.differs("altered", "dead_letter", row["dead_letter_id"], f"{row['state']} by whom and when", marked)
    if row["replaced"] and row["state"] == "set_aside":
        findings.differs("altered", "dead_letter", f"{row['dead_letter_id']} replacement", "none before it is replayed")
    if not row["has_key"]:
        findings.differs("altered", "dead_letter", f"{row['dead_letter_id']} subject", "one with a key", row["subject"])
