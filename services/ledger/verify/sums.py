"""What a shard's events add up to over all its accounts: totals of days, and messages that were set aside."""

from collections import defaultdict

import orjson

from services.ledger.proof.snapshots import Snapshot, StateWriter
from services.ledger.verify.letters import Letters
from services.ledger.verify.totals import Totals


class Sums:
    """They grow from pass to pass, each of which adds what its accounts did."""

    def __init__(self) -> None:
        self.totals: Totals = defaultdict(lambda: [0, 0])
        self.letters = Letters()

    @classmethod
    def of(cls, snapshot: Snapshot | None, shard: int) -> "Sums":
        """As a snapshot holds them; the shard's file is compared with the manifest first.

        Raises `StatementRefusedError`, `OSError`.
        """
        sums = cls()
        if snapshot is not None:
            snapshot.check(shard)
            for kind, line in snapshot.lines(shard):
                if kind == "total":
                    *key, points, movements = orjson.loads(line)
                    sums.totals[tuple(key)] = [points, movements]
                elif kind == "letter":
                    sums.letters.restore(orjson.loads(line))
        return sums

    def write(self, out: StateWriter) -> None:
        """Add them to a snapshot."""
        for key, (points, movements) in sorted(self.totals.items()):
            out.total(key, points, movements)
        for values in self.letters.all():
            out.letter(values)
