"""Where the log of each shard stood."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from services.ledger.proof.signatures import Content, StatementRefusedError


class Head(NamedTuple):
    """The last position of a shard's log and the hash there; position 0: it was empty."""

    position: int
    hash: bytes


Heads = Mapping[int, Head]
"""By shard."""


def documents(heads: Heads) -> list[dict[str, Any]]:
    """Heads as statements hold them."""
    return [
        {"shard": shard, "position": head.position, "hash": head.hash.hex()} for shard, head in sorted(heads.items())
    ]


def heads_in(content: Content) -> dict[int, Head]:
    """The heads in a statement. Raises `StatementRefusedError`."""
    rows: Iterable[Mapping[str, Any]] = content.get("heads", ())
    try:
        return {row["shard"]: Head(row["position"], bytes.fromhex(row["hash"])) for row in rows}
    except (KeyError, TypeError, ValueError) as error:
        raise StatementRefusedError(f"its heads cannot be read: {error!r}") from error
