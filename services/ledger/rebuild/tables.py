"""The tables that are rebuilt: their keys, and their rows as they follow from the log, in their columns' order."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from services.ledger.domain.account import Account
from services.ledger.domain.due import next_due
from services.ledger.rebuild import SQL
from services.ledger.storage.rows import (
    account_document,
    balance_document,
    hold_document,
    lot_row,
    redemption_document,
    transit_document,
)

Values = tuple[Any, ...]

STATE: Final[Mapping[str, tuple[str, ...]]] = {
    "account": ("account_id",),
    "balance": ("account_id", "currency"),
    "lot": ("account_id", "lot_id"),
    "hold": ("account_id", "hold_id"),
    "redemption": ("account_id", "redemption_id"),
    "transit": ("account_id", "transit_id"),
}
"""The writers' state: table to the columns that name a row within a shard."""

LINES: Final = "entry"
LINE_KEYS: Final = ("account_id", "known_at", "version", "currency")
TOTALS: Final = "daily_total"
TOTAL_VALUES: Final = (
    "tenant", "programme", "currency", "effective_on", "recorded_on", "source", "target", "expires_in", "earned_with",
    "spent_with", "points", "movements",
)  # fmt: skip
VERDICTS: Final = "movement"
VERDICT_KEYS: Final = ("command_id",)

BESIDE: Final = (*STATE, LINES, TOTALS, VERDICTS)

_BALANCE: Final = (
    "account_id", "currency", "scale", "issued", "adjusted", "transferred_in", "transferred_out", "pending",
    "available", "held", "in_transit", "redeemed", "expired", "reversed", "debt", "debt_since", "inactivity",
    "active_at", "lapses_at", "notice_at", "sent_month", "sent",
)  # fmt: skip
_HOLD: Final = (
    "account_id", "hold_id", "currency", "state", "captured", "placed_at", "expires_at", "day", "reference",
    "partner", "lot_ids", "points", "held",
)  # fmt: skip
_REDEMPTION: Final = (
    "account_id", "redemption_id", "currency", "owed", "owed_restored", "unbacked", "redeemed_at", "hold_id",
    "claimed_by", "day", "reference", "forwarded", "partner", "lot_ids", "points", "restored",
)  # fmt: skip
_TRANSIT: Final = ("account_id", "transit_id", "to_account_id", "currency", "lot_ids", "points", "month")


def keys_of(table: str) -> tuple[str, ...]:
    """The columns that name a row of a table within a shard; of totals, all of them."""
    if table in STATE:
        return STATE[table]
    return {LINES: LINE_KEYS, TOTALS: TOTAL_VALUES, VERDICTS: VERDICT_KEYS}[table]


def statement(name: str, table: str) -> str:
    """A statement for one table. The names are this module's own."""
    keys = keys_of(table)
    same = " and ".join(f"live.{key} = wrong.{key}" for key in keys)
    return SQL[name].replace("TABLE", table).replace("KEYS", ", ".join(keys)).replace("SAME", same)


def rows_of(shard: int, account: Account, known_at: datetime, position: int) -> Iterator[tuple[str, Values]]:
    """The rows of state of an account, with their table."""
    document = account_document(account)
    document |= {"standing": _json(document["standing"]), "merging_from": sorted(account.merging_from)}
    yield "account", (shard, *document.values(), next_due(account), known_at, position)
    for currency, balance in account.balances.items():
        document = balance_document(account.account_id, currency, balance)
        document["inactivity"] = _json(document["inactivity"])
        yield "balance", (shard, *(document[name] for name in _BALANCE))
    for lot in account.lots.values():
        yield "lot", lot_row(shard, account.account_id, lot)
    for name, columns, make, parts in _PARTS:
        for part in getattr(account, parts).values():
            document = make(account.account_id, part)
            yield name, (shard, *(document[column] for column in columns))


def _json(value: Any) -> str | None:  # noqa: ANN401 - any JSON
    # As `save` writes it, and as PostgreSQL keeps the text of a json.
    return None if value is None else orjson.dumps(value, default=str).decode()


_PARTS: Final[tuple[tuple[str, tuple[str, ...], Callable[[UUID, Any], dict[str, Any]], str], ...]] = (
    ("hold", _HOLD, hold_document, "holds"),
    ("redemption", _REDEMPTION, redemption_document, "redemptions"),
    ("transit", _TRANSIT, transit_document, "transits"),
)
