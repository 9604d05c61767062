"""What the decider and the model have, in the same words: accounts that are compared, and letters that are."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.awards import PurchaseRedemption, RedemptionRestore
from services.ledger.domain.account import Account, Lot, Redemption
from services.ledger.domain.commands import (
    Command,
    CompleteTransfer,
    ConcludeMerge,
    ReceivePoints,
    ReturnTransfer,
    Surrender,
    TakeBack,
)
from tests.properties.ledger.asking import ACCOUNTS, START, standing_of, until
from tests.properties.ledger.model import BUCKETS, FOR_EVER, Model
from tests.properties.ledger.model_core import Entry

LOT_FIELDS = (
    "points", "pending", "available", "held", "in_transit", "redeemed", "expired", "reversed", "taken_back",
    "written_off",
)  # fmt: skip
_SMALL = 10**6


def minute(at: datetime | None, otherwise: int | None = None) -> int | None:
    """An instant of the decider as the model knows it."""
    return otherwise if at is None else int((at - START).total_seconds()) // 60


class Names:
    """What goes by ids with the decider and by keys and numbers with the model."""

    def __init__(self) -> None:
        self.awards: set[Any] = set()
        self._keys: dict[UUID, Any] = {}
        self._transits: dict[UUID, int] = {}

    def key(self, of: UUID) -> Any:
        """The key of a command, and of what it made."""
        return of.int - 1 if of.int < _SMALL else self._keys.get(of)

    def award(self, of: UUID) -> Any:
        """The key of the award that a lot comes from; other lots come from none."""
        return self.key(of) if self.key(of) in self.awards else None

    def learn(self, command: Command, message: Entry) -> None:
        """These are the same: points under way go by a number, the rest of a purchase by a key of its own."""
        if isinstance(command, ReceivePoints):
            self._transits[command.transit_id] = message["sent"]
        if isinstance(command, PurchaseRedemption):
            self._keys[command.command_id] = message["key"]

    def told(self, who: int, command: Command, lots: Mapping[UUID, Lot]) -> Entry:
        """What a message says, in the model's words."""
        return {"to": ACCOUNTS.index(command.account_id), "from": who, **self._particular(command, lots)}

    def _particular(self, command: Command, lots: Mapping[UUID, Lot]) -> Entry:  # noqa: PLR0911  # one for each
        match command:
            case ReceivePoints():
                return self._offer(command, lots)
            case CompleteTransfer():
                return {"kind": "taken up", "sent": self._transits[command.transit_id]}
            case ReturnTransfer():
                return {"kind": "sent back", "sent": self._transits[command.transit_id], "why": command.reason}
            case Surrender():
                return {"kind": "surrender"}
            case ConcludeMerge():
                return {"kind": "concluded", "why": command.refused_because}
            case TakeBack():
                return {
                    "kind": "take back", "currency": command.currency, "award": self.key(command.accrual_id),
                    "points": command.points, "policy": command.spent_policy,
                }  # fmt: skip
            case PurchaseRedemption():
                return {
                    "kind": "purchase", "currency": command.currency, "points": command.points,
                    "policy": command.unbacked, "made": minute(command.occurred_at),
                }  # fmt: skip
            case RedemptionRestore():
                grace = command.restore_for_s // 60
                return {
                    "kind": "restore", "currency": command.currency, "points": command.points,
                    "spent": self.key(command.redemption_id),
                    "grace_until": (minute(command.occurred_at) or 0) + grace if grace else None,
                }  # fmt: skip
        raise AssertionError(command)

    def _offer(self, command: ReceivePoints, lots: Mapping[UUID, Lot]) -> Entry:
        assert command.scale == 0
        numbers = {lot.lot_id: number for number, lot in enumerate(in_order(lots.values(), command.currency))}
        parcels = [
            {
                "lot": numbers[each.lot_id], "points": each.points, "earned": minute(each.earned_at),
                "starts": minute(each.activates_at, -1), "ends": minute(each.expires_at, FOR_EVER),
                "award": self.award(each.accrual_id),
            }
            for each in command.carried
        ]  # fmt: skip
        active = command.last_active
        return {
            "kind": "offer", "currency": command.currency, "merge": command.merge, "owed": command.owed,
            "parcels": parcels, "active": minute(active.active_at) if active else None,
        }  # fmt: skip


def in_order(lots: Iterable[Lot], currency: str) -> list[Lot]:
    """Lots of a currency as they were opened."""
    return sorted((lot for lot in lots if lot.currency == currency), key=lambda lot: lot.sequence)


def compare(account: Account, model: Entry, names: Names) -> None:
    """Status, tier, balances, lots, holds and redemptions are the same."""
    into = None if account.merged_into is None else ACCOUNTS.index(account.merged_into)
    taking_up = {ACCOUNTS.index(each) for each in account.merging_from}
    assert (account.status, account.erased, into, taking_up) == (
        model["status"], model["erased"], model["into"], model["taking_up"],
    )  # fmt: skip
    tier = account.tier and (account.tier.tier, minute(account.tier.since), minute(account.tier.until))
    assert (tier, account.standing) == (model["tier"], standing_of(model["standing"]))
    for currency, books in model["currencies"].items():
        _compare_currency(account, currency, books, names)


def _compare_currency(account: Account, currency: str, model: Model, names: Names) -> None:
    balance = account.balances.get(currency)
    assert {bucket: getattr(balance, bucket) if balance else 0 for bucket in BUCKETS} == model.total
    silence = (balance.lapses_at, balance.notice_at) if balance else (None, None)
    assert tuple(minute(at) for at in silence) == (model.lapses, model.notice)
    assert [
        (*(getattr(lot, name) for name in LOT_FIELDS), names.award(lot.accrual_id), lot.expires_at)
        for lot in in_order(account.lots.values(), currency)
    ] == [(*(lot[name] for name in LOT_FIELDS), lot["award"], until(lot["ends"])) for lot in model.lots]
    holds = [hold for hold in account.holds.values() if hold.currency == currency]
    assert [(names.key(hold.hold_id), hold.state, hold.held, hold.captured) for hold in holds] == [
        (key, hold["state"], sum(share["held"] for share in hold["shares"]), hold["captured"])
        for key, hold in model.holds.items()
    ]
    spent = [each for each in account.redemptions.values() if each.currency == currency]
    assert {names.key(each.redemption_id): _figures(each) for each in spent} == {
        key: (Model.taken(each), Model.given_back(each), each["forwarded"]) for key, each in model.spent.items()
    }


def _figures(redemption: Redemption) -> tuple[int, int, int]:
    return redemption.taken, redemption.restored, redemption.forwarded
