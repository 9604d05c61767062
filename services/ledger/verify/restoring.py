"""The accounts that a snapshot holds of a shard, put back into replay."""

from collections.abc import Iterator

from services.ledger.proof.snapshots import Snapshot, account_of_line
from services.ledger.verify.part import Part
from services.ledger.verify.replay import Replayed


def restore_accounts(snapshot: Snapshot | None, shard: int, part: Part) -> Iterator[tuple[str, Replayed]]:
    """The accounts of a part. Raises `StatementRefusedError`, `OSError`."""
    if snapshot is None:
        return
    for kind, line in snapshot.lines(shard):
        if kind == "account":
            account, known_at, position = account_of_line(line)
            account_id = str(account.account_id)
            if part.has(account_id):
                yield account_id, Replayed.restored(account, known_at, position)
