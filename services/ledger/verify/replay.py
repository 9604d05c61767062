"""An account made anew from the bytes of its events.

What only moves points (most events) is applied as it stands in the JSON; all else is read into the domain's events and
applied by the domain.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from contracts.awards import Standing
from services.ledger import wire
from services.ledger.domain.account import Account, unopened
from services.ledger.domain.events import Movement
from services.ledger.domain.evolve import apply
from services.ledger.domain.working import LOT_EXPIRES_AT, LOT_PARTNER, Working
from services.ledger.projections.totals import Origin, month_of_expiry
from services.ledger.verify.entry import Entry, instant, uuid

_PLAIN: Final = frozenset(
    {
        "bonus.points.accrued.v1",
        "bonus.points.activated.v1",
        "bonus.points.expired.v1",
        "bonus.debt.settled.v1",
        "bonus.standing.noted.v1",
    }
)
"""Events that do nothing but open lots, move points, and note scales, activity and standing."""

EXPIRIES_KEPT: Final = 1_024
"""Most lots expire at the end of some month; those of a year are few."""

_EMPTY: Final = (0,) * 10
"""What a lot's buckets begin with, and what was taken back and written off of it."""

month_of: Final = lru_cache(EXPIRIES_KEPT)(month_of_expiry)


class Replayed:
    """One account on its way through the log.

    `known_at` is the latest instant from which its events are known, `known_as` the same as the log has it.
    """

    __slots__ = (
        "_lot_ids", "_standing", "account_id", "known_as", "known_at", "position", "programme", "tenant", "working",
    )  # fmt: skip

    def __init__(self, account: Account, known_at: datetime) -> None:
        self.account_id = account.account_id
        self.tenant, self.programme = account.tenant, account.programme
        self.working = Working(account)
        self.known_at, self.known_as = known_at, known_at.isoformat()
        self.position = 0
        self._lot_ids: dict[str, UUID] = {}
        self._standing: Mapping[str, Any] | None = None

    @classmethod
    def restored(cls, account: Account, known_at: datetime, position: int) -> "Replayed":
        """An account as a snapshot holds it, after its event at `position`."""
        replayed = cls(account, known_at)
        replayed.position = position
        return replayed

    @classmethod
    def unopened(cls, entry: Entry) -> "Replayed":
        """An account before its first event. Raises KeyError, TypeError or ValueError if it is none."""
        account = unopened(uuid(entry.account_id), entry.tenant, entry.data.programme)
        return cls(account, entry.recorded_at)

    def take(self, entry: Entry) -> Sequence[Movement]:
        """Apply one more event, and give its movements. Raises KeyError, TypeError or ValueError if it is none."""
        if entry.fault is not None:
            raise ValueError(entry.fault)
        data = entry.data
        self.position = entry.position
        if data.known_at is None:
            known_at, known_as = entry.recorded_at, entry.time
        else:
            known_at, known_as = instant(data.known_at), data.known_at
        if known_at > self.known_at:
            self.known_at, self.known_as = known_at, known_as
        details = data.details
        if entry.type not in _PLAIN or "activity" in details:
            return self._take_any(entry)
        working = self.working
        working.begin()
        if data.lots:
            self._open(entry)
        if "scales" in details:
            for currency, scale in details["scales"]:
                working.balance(currency, scale)
        if data.standing is not None:
            self._standing = data.standing
        if not data.movements:
            return ()
        # An id that was hashed before is found in a quarter of the time of making it anew.
        lot_ids = self._lot_ids
        movements: list[Movement] = [
            # As good as a Movement to those who unpack it, and made in a third of the time.
            (each.currency, lot_id and (lot_ids.get(lot_id) or uuid(lot_id)), each.source, each.target, each.points)  # type: ignore[misc]
            for each in data.movements
            for lot_id in (each.lot_id,)
        ]
        working.move(movements, instant(data.effective_at))
        return movements

    def _take_any(self, entry: Entry) -> tuple[Movement, ...]:
        event = wire.event_of(entry.content)
        if event.standing is not None:
            self._standing = None
        apply(self.working, event)
        return event.movements

    def _open(self, entry: Entry) -> None:
        """Take in the lots that an event opens."""
        recorded_at, command_id = entry.recorded_at, uuid(entry.data.command_id)
        for terms in entry.data.lots:
            lot_id, activates_at, expires_at = uuid(terms["lot_id"]), terms["activates_at"], terms["expires_at"]
            self._lot_ids[terms["lot_id"]] = lot_id
            self.working.open_values([
                lot_id, terms["currency"], terms["sequence"],
                uuid(terms["origin"]) if "origin" in terms else command_id,
                instant(terms["earned_at"]),
                instant(terms["booked_at"]) if "booked_at" in terms else recorded_at,
                None if activates_at is None else instant(activates_at),
                None if expires_at is None else instant(expires_at),
                terms["points"], *_EMPTY, terms.get("campaign"), terms.get("partner", ""),
            ])  # fmt: skip

    def origin(self, lot_id: UUID) -> Origin:
        """The origin of a lot, as totals count it. Raises KeyError where there is no such lot."""
        lot = self.working.lot(lot_id)
        if lot is None:
            raise KeyError(lot_id)
        return month_of(lot[LOT_EXPIRES_AT]), lot[LOT_PARTNER]

    def settle(self) -> None:
        """No more events. Raises BooksDoNotBalanceError."""
        if self._standing is not None:
            self.working.standing = Standing.model_validate(self._standing)
            self._standing = None
        self.working.check()

    def account(self) -> Account:
        """The account after all events taken. Raises BooksDoNotBalanceError."""
        self.settle()
        return self.working.account()
