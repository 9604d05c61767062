"""An event of the log, parsed; and how its instants and ids are read.

UUIDs are those of asyncpg, which are made and compared in a tenth of the time.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from asyncpg.pgproto import pgproto

instant: Final = datetime.fromisoformat
uuid: Final = pgproto.UUID

STAMPS_KEPT: Final = 1_024
"""Events of one transaction were recorded at one instant, and most count from the same."""

_TO_THE_SECOND: Final = len("2026-03-05T17:04:13+00:00")
_TO_THE_MICROSECOND: Final = len("2026-03-05T17:04:13.000001+00:00")


class Entry(NamedTuple):
    """An event of the log, parsed; `account_id`, as it is written, None: an entry of the runtime's own."""

    position: int
    type: str
    account_id: str | None
    recorded_at: datetime
    content: Mapping[str, Any]


@lru_cache(STAMPS_KEPT)
def stamp(text: str) -> str:
    """An instant of the log as PostgreSQL writes it in UTC."""
    if text.endswith("+00:00"):
        if len(text) == _TO_THE_MICROSECOND:
            return f"{text[:10]} {text[11:26].rstrip('0')}+00"
        if len(text) == _TO_THE_SECOND:
            return f"{text[:10]} {text[11:19]}+00"
    return stamp(instant(text).astimezone(UTC).isoformat())
