"""What verification found."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from services.ledger.proof.heads import Head
from services.ledger.proof.snapshots import StateFile

DIFFERENCES_MAX = 1_000
"""Differences that are kept in words; more are only counted."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as the log says.

    `what` is a stable code (`gap`, `broken_hash`, `altered`, `missing`, `unexpected`, …); `table` and `key` name the
    row; `expected` follows from the log, `found` is what stands there.
    """

    what: str
    table: str
    shard: int
    key: str
    expected: str = ""
    found: str = ""

    def __str__(self) -> str:
        """One line for people."""
        line = f"{self.what}: {self.table} {self.key} (shard {self.shard})"
        if self.expected or self.found:
            line += f": expected {self.expected or 'nothing'}, found {self.found or 'nothing'}"
        return line


@dataclass(slots=True)
class Report:
    """The outcome for some shards.

    `counts` are differences by what and table, those not kept in words included. `heads` say where the logs end,
    `files` what was written of a snapshot.
    """

    events: int = 0
    accounts: int = 0
    lots: int = 0
    entries: int = 0
    seconds: float = 0.0
    differences: list[Difference] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    heads: dict[int, Head] = field(default_factory=dict)
    files: dict[int, StateFile] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return not self.counts

    def add(self, difference: Difference) -> None:
        """Note a difference."""
        self.counts[f"{difference.what} {difference.table}"] += 1
        if len(self.differences) < DIFFERENCES_MAX:
            self.differences.append(difference)

    def join(self, other: "Report") -> None:
        """Take in what was found elsewhere."""
        self.events += other.events
        self.accounts += other.accounts
        self.lots += other.lots
        self.entries += other.entries
        self.counts += other.counts
        self.heads |= other.heads
        self.files |= other.files
        self.differences += other.differences[: DIFFERENCES_MAX - len(self.differences)]

    def document(self) -> dict[str, Any]:
        """The report as data."""
        return {
            "ok": self.ok,
            "events": self.events,
            "accounts": self.accounts,
            "lots": self.lots,
            "entries": self.entries,
            "seconds": round(self.seconds, 3),
            "events_per_second": round(self.events / self.seconds) if self.seconds else None,
            "differences": [
                {
                    "what": each.what,
                    "table": each.table,
                    "shard": each.shard,
                    "key": each.key,
                    "expected": each.expected,
                    "found": each.found,
                }
                for each in self.differences
            ],
            "counts": dict(sorted(self.counts.items())),
            "heads": {
                str(shard): {"head": head.position, "hash": head.hash.hex()}
                for shard, head in sorted(self.heads.items())
            },
        }
