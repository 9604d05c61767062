"""An account as the books tell of it: balances, holds, and what lapses when, stamped with the account's version.

Folded from the ledger's events in their order. It is for quotes alone: the books guard what is spent, and may know more
at that moment.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

BUCKETS: Final = ("pending", "available", "held")
"""Where the points of a lot may still be spent, now or later."""

_STATUS: Final[Mapping[str, str]] = {
    "bonus.account.frozen.v1": "frozen",
    "bonus.account.unfrozen.v1": "open",
    "bonus.account.closed.v1": "closed",
    "bonus.account.merged.v1": "merged",
}
_ENDS_HOLD: Final = frozenset({"bonus.hold.released.v1", "bonus.hold.timed-out.v1", "bonus.hold.captured.v1"})
_COUNTS: Final = frozenset({"bonus.hold.placed.v1", "bonus.points.redeemed.v1", "bonus.hold.captured.v1"})


class Balance(NamedTuple):
    """Points of one currency in the smallest unit, with `scale` decimals."""

    scale: int
    pending: int = 0
    available: int = 0
    held: int = 0
    debt: int = 0


class OpenHold(NamedTuple):
    """Points set aside until `expires_at`; the hold counts as a redemption of its `day`."""

    currency: str
    points: int
    expires_at: datetime
    day: date | None


class Lot(NamedTuple):
    """What is left of a lot that will begin or end to count; a lot that always counts is not kept."""

    currency: str
    pending: int
    available: int
    held: int
    activates_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """State. `day` is the last day on which something was redeemed or held, `spent` how much by redemption or hold."""

    version: int = 0
    status: str = "open"
    balances: Mapping[str, Balance] = field(default_factory=dict)
    holds: Mapping[UUID, OpenHold] = field(default_factory=dict)
    day: date | None = None
    spent: Mapping[UUID, int] = field(default_factory=dict)

    def redemptions_on(self, day: date) -> int:
        """How often something was redeemed on a day; what was given back whole no longer counts."""
        return len(self.spent) if self.day == day else 0


class LotChange(NamedTuple):
    """What an event does to a lot: `opened` has its terms if it is new, the rest is added to what is there."""

    lot_id: UUID
    opened: tuple[str, datetime | None, datetime | None] | None
    pending: int
    available: int
    held: int


def evolve(account: KnownAccount, event_type: str, data: Mapping[str, Any]) -> KnownAccount:
    """The account after an event of the books; one that is known already changes nothing."""
    version = int(data["version"])
    if version <= account.version:
        return account
    balances = {**account.balances, **{key: _balance(said) for key, said in data.get("balances", {}).items()}}
    account = replace(account, version=version, status=_STATUS.get(event_type, account.status), balances=balances)
    details = data.get("details", {})
    if event_type in _ENDS_HOLD or event_type == "bonus.hold.placed.v1":
        account = _with_hold(account, event_type, data, details)
    if event_type in _COUNTS:
        account = _counted(account, data, details)
    if event_type == "bonus.points.restored.v1":
        account = _given_back(account, data, details)
    return account


def lot_changes(data: Mapping[str, Any]) -> Iterable[LotChange]:
    """What an event does to lots, each lot once."""
    opened = {
        lot["lot_id"]: (lot["currency"], _instant(lot.get("activates_at")), _instant(lot.get("expires_at")))
        for lot in data.get("lots", ())
    }
    moved: dict[str, dict[str, int]] = {lot_id: {} for lot_id in opened}
    for movement in data.get("movements", ()):
        lot_id = movement["lot_id"]
        if lot_id is None:
            continue
        buckets = moved.setdefault(lot_id, {})
        buckets[movement["from"]] = buckets.get(movement["from"], 0) - movement["points"]
        buckets[movement["to"]] = buckets.get(movement["to"], 0) + movement["points"]
    for lot_id, buckets in moved.items():
        changes = [buckets.get(bucket, 0) for bucket in BUCKETS]
        if lot_id in opened or any(changes):
            yield LotChange(UUID(lot_id), opened.get(lot_id), *changes)


def available_at(account: KnownAccount, lots: Iterable[Lot], currency: str, at: datetime) -> int:
    """What may be spent at `at`: what time does in between, and the books have not told yet, is counted."""
    balance = account.balances.get(currency)
    available = balance.available if balance else 0
    debt = balance.debt if balance else 0
    for lot in lots:
        if lot.currency != currency:
            continue
        if lot.expires_at is not None and lot.expires_at <= at:
            available -= lot.available
        elif lot.activates_at is not None and lot.activates_at <= at:
            settled = min(debt, lot.pending)
            debt -= settled
            available += lot.pending - settled
    return max(available, 0)


def _with_hold(
    account: KnownAccount, event_type: str, data: Mapping[str, Any], details: Mapping[str, Any]
) -> KnownAccount:
    hold_id = UUID(details["hold_id"])
    moved = _moved(data, "held")
    known = account.holds.get(hold_id)
    holds = dict(account.holds)
    if event_type == "bonus.hold.placed.v1":
        points = moved + (known.points if known else 0)
        day = date.fromisoformat(details["day"]) if details.get("day") else None
        holds[hold_id] = OpenHold(details["currency"], points, datetime.fromisoformat(details["expires_at"]), day)
        return replace(account, holds=holds)
    if known is None:
        return account
    left = known.points + moved
    if left > 0:
        holds[hold_id] = known._replace(points=left)
    else:
        del holds[hold_id]
    spent = dict(account.spent)
    if left <= 0 or event_type == "bonus.hold.captured.v1":
        # What is captured counts as a redemption of its own from now on; what goes back counts no longer.
        spent.pop(hold_id, None)
    return replace(account, holds=holds, spent=spent)


def _counted(account: KnownAccount, data: Mapping[str, Any], details: Mapping[str, Any]) -> KnownAccount:
    """One more redemption of its day, or more of one that is known; days never go back, for the clock does not."""
    if not details.get("day"):
        return account
    day = date.fromisoformat(details["day"])
    if account.day is not None and day < account.day:
        return account
    spent = dict(account.spent) if account.day == day else {}
    key = UUID(details.get("redemption_id") or details["hold_id"])
    spent[key] = spent.get(key, 0) + (_moved(data, "redeemed") if "redemption_id" in details else _moved(data, "held"))
    return replace(account, day=day, spent=spent)


def _given_back(account: KnownAccount, data: Mapping[str, Any], details: Mapping[str, Any]) -> KnownAccount:
    key = UUID(details["redemption_id"])
    if key not in account.spent:
        return account
    left = account.spent[key] + _moved(data, "redeemed") - int(details.get("owed") or 0)
    spent = {other: points for other, points in account.spent.items() if other != key}
    return replace(account, spent=spent if left <= 0 else {**spent, key: left})


def _moved(data: Mapping[str, Any], bucket: str) -> int:
    """What an event puts into a bucket, less what it takes out of it."""
    total = 0
    for movement in data.get("movements", ()):
        total += movement["points"] * ((movement["to"] == bucket) - (movement["from"] == bucket))
    return total


def _balance(said: Mapping[str, Any]) -> Balance:
    return Balance(said["scale"], said["pending"], said["available"], said["held"], said["debt"])


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
