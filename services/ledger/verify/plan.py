"""What a verification goes by beside the database: where it begins and ends, what was anchored, how much it holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from services.ledger.proof.anchors import Anchored
from services.ledger.proof.archives import Archive
from services.ledger.proof.heads import Head
from services.ledger.proof.snapshots import Snapshot

ROWS_AT_ONCE: Final = 2_000
LOTS_AT_ONCE: Final = 60_000
LAST_POSITION: Final = 2**63 - 1

NO_HASH: Final = bytes(32)
"""What the first event of a shard stands on."""

EMPTY: Final = Head(0, NO_HASH)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is held in memory: accounts, lots, redemptions and holds replayed at once; rows of each cursor."""

    lots_at_once: int = LOTS_AT_ONCE
    rows_at_once: int = ROWS_AT_ONCE


@dataclass(frozen=True, slots=True)
class Plan:
    """A verification.

    `since`: go on from this snapshot instead of the first event. `archives`: events that are in the database no more,
    oldest first; read before those that are. `until`: positions to stop at, by shard; state and totals, which are of
    later, are not compared then. `write_to`: a directory for the state that follows from the log. `now`: the clock,
    that of the database where it is left out.
    """

    limits: Limits = field(default_factory=Limits)
    since: Snapshot | None = None
    archives: tuple[Archive, ...] = ()
    anchored: Anchored = field(default_factory=dict)
    until: Mapping[int, int] | None = None
    write_to: Path | None = None
    now: datetime | None = None

    def start(self, shard: int) -> Head:
        """Where the log of a shard is taken up."""
        return EMPTY if self.since is None else self.since.heads[shard]

    def end(self, shard: int) -> int:
        """The last position that is looked at."""
        return LAST_POSITION if self.until is None else self.until[shard]
