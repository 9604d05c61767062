"""An account made anew from the bytes of its events.

What only moves points (most events) is applied as it stands in the JSON; all else is read into the domain's events and
applied by the domain. UUIDs are those of asyncpg, which are made and compared in a tenth of the time.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from asyncpg.pgproto import pgproto

from contracts.awards import Standing
from services.ledger import wire
from services.ledger.domain.account import Account, Lot, unopened
from services.ledger.domain.events import Movement
from services.ledger.domain.evolve import apply
from services.ledger.domain.working import Working
from services.ledger.projections.totals import Origin, origin_of

_PLAIN: Final = frozenset(
    {"bonus.points.accrued.v1", "bonus.points.activated.v1", "bonus.points.expired.v1", "bonus.debt.settled.v1"}
)
"""Events that do nothing but open lots, move points, and note scales, activity and standing."""

_NO_DETAILS: Final[Mapping[str, Any]] = {}
instant: Final = datetime.fromisoformat
uuid: Final = pgproto.UUID


class Replayed:
    """One account on its way through the log. `origins` are those of its lots, as totals count them."""

    __slots__ = ("_standing", "account_id", "known_at", "origins", "position", "programme", "tenant", "working")

    def __init__(self, account: Account, known_at: datetime) -> None:
        self.account_id = account.account_id
        self.tenant, self.programme = account.tenant, account.programme
        self.working = Working(account)
        self.known_at = known_at
        self.position = 0
        self.origins: dict[UUID, Origin] = {}
        self._standing: Mapping[str, Any] | None = None

    @classmethod
    def restored(cls, account: Account, known_at: datetime, position: int) -> "Replayed":
        """An account as a snapshot holds it, after its event at `position`."""
        replayed = cls(account, known_at)
        replayed.position = position
        replayed.origins = {lot.lot_id: origin_of(lot) for lot in account.lots.values()}
        return replayed

    @classmethod
    def unopened(cls, account_id: UUID, content: Mapping[str, Any]) -> "Replayed":
        """An account before its first event."""
        return cls(unopened(account_id, content["tenant"], content["data"]["programme"]), instant(content["time"]))

    def take(self, content: Mapping[str, Any], position: int) -> Sequence[Movement]:
        """Apply one more event, and give its movements. Raises KeyError, TypeError or ValueError if it is none."""
        data = content["data"]
        self.position = position
        known_at = instant(data["known_at"]) if "known_at" in data else instant(content["time"])
        self.known_at = max(self.known_at, known_at)
        if content["type"] not in _PLAIN or "activity" in data.get("details", _NO_DETAILS):
            return self._take_any(content)
        working = self.working
        working.begin()
        if "lots" in data:
            self._open(content)
        if "details" in data:
            for currency, scale in data["details"].get("scales", ()):
                working.balance(currency, scale)
        movements: list[Movement] = [
            # As good as a Movement to those who unpack it, and made in a third of the time.
            (each["currency"], each["lot_id"] and uuid(each["lot_id"]), each["from"], each["to"], each["points"])  # type: ignore[misc]
            for each in data.get("movements", ())
        ]
        working.move(movements, instant(data["effective_at"]))
        if "standing" in data:
            self._standing = data["standing"]
        return movements

    def _take_any(self, content: Mapping[str, Any]) -> tuple[Movement, ...]:
        event = wire.event_of(content)
        for lot in event.lots:
            self.origins[lot.lot_id] = origin_of(lot)
        if event.standing is not None:
            self._standing = None
        apply(self.working, event)
        return event.movements

    def _open(self, content: Mapping[str, Any]) -> None:
        data = content["data"]
        command_id, recorded_at = uuid(data["command_id"]), instant(content["time"])
        lots = []
        for terms in data["lots"]:
            expires_at = None if terms["expires_at"] is None else instant(terms["expires_at"])
            lot = Lot(
                uuid(terms["lot_id"]), terms["currency"], terms["sequence"],
                uuid(terms["origin"]) if "origin" in terms else command_id,
                instant(terms["earned_at"]),
                instant(terms["booked_at"]) if "booked_at" in terms else recorded_at,
                None if terms["activates_at"] is None else instant(terms["activates_at"]),
                expires_at, terms["points"], campaign=terms.get("campaign"), partner=terms.get("partner", ""),
            )  # fmt: skip
            lots.append(lot)
            self.origins[lot.lot_id] = origin_of(lot)
        self.working.open(lots)

    def account(self) -> Account:
        """The account after all events taken. Raises BooksDoNotBalanceError."""
        if self._standing is not None:
            self.working.standing = Standing.model_validate(self._standing)
            self._standing = None
        self.working.check()
        return self.working.account()
