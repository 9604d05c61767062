"""A hold: points set aside for a purchase that is not finished yet.

Source: two-phase redemption as tills do it (reserve, then capture or release). Points on hold keep their lots: they do
not expire until they are released, and then at once if their date has passed.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from services.ledger.domain.account import EMPTY_BALANCE, Account, Hold
from services.ledger.domain.commands import CaptureHold, PlaceHold, ReleaseHold
from services.ledger.domain.decision import stamp
from services.ledger.domain.events import Event, HoldCaptured, HoldPlaced, HoldReleased, Movement
from services.ledger.domain.guards import Guards
from services.ledger.domain.inactivity import moved
from services.ledger.domain.lots import Purse, expiry_of_freed, in_parts
from services.ledger.domain.redemptions import confirmed_if_needed, may_spend
from services.ledger.domain.refusals import (
    Refusal,
    exceeds_hold,
    hold_captured,
    hold_expired,
    hold_released,
    hold_unknown,
    not_positive,
    time_out_too_long,
)

DEFAULT_HOLD_S: Final = 900
MAX_HOLD_S: Final = 366 * 24 * 3600
"""The longest hold: a year; orders are delivered in days."""


def place(account: Account, command: PlaceHold, guards: Guards, now: datetime) -> list[Event] | Refusal:
    """Set points aside, soonest-expiring first. An empty list: this hold stands already.

    It counts as a redemption of its day until it ends without a capture. Refused as `may_spend` says, and
    `time_out_too_long`, `not_positive`.
    """
    if command.command_id in account.holds:
        return []
    command = confirmed_if_needed(command, guards)
    refusal = may_spend(account, command, guards, now)
    if refusal is not None:
        return refusal
    time_out_s = command.time_out_s
    if time_out_s is None:
        time_out_s = guards.redemption.hold_s if guards.redemption else DEFAULT_HOLD_S
    if time_out_s > MAX_HOLD_S:
        return time_out_too_long(MAX_HOLD_S)
    if time_out_s <= 0:
        return not_positive()
    return list(
        in_parts(
            HoldPlaced,
            Purse(account, command.currency).take(command.points, "held"),
            hold_id=command.made_id,
            currency=command.currency,
            expires_at=now + timedelta(seconds=time_out_s),
            day=guards.day(now),
            reference=command.reference,
            partner=command.partner,
            **stamp(command, now),
        )
    )


def capture(account: Account, command: CaptureHold, now: datetime) -> list[Event] | Refusal:
    """Spend all or part of a hold; the rest goes back, unless it is kept.

    An empty list means that it was captured before with the same amount. Refused: `hold_unknown`, `hold_captured`,
    `hold_released`, `hold_expired`, `exceeds_hold`, `not_positive`.
    """
    hold = account.holds.get(command.hold_id)
    if hold is None:
        return hold_unknown(command.hold_id)
    scale = account.balances.get(hold.currency, EMPTY_BALANCE).scale
    if command.command_id in account.redemptions or (
        hold.state == "captured" and command.points in {None, hold.captured}
    ):
        return []
    points = hold.held if command.points is None else command.points
    refusal = _ended(hold, scale, now) or _unfit(hold, points, scale)
    if refusal is not None:
        return refusal
    movements = spend(hold, points, release=not command.keep)
    shared = stamp(command, now)
    captured = in_parts(
        HoldCaptured,
        movements,
        hold_id=hold.hold_id,
        redemption_id=command.command_id,
        currency=hold.currency,
        day=None if hold.captured else hold.day,
        reference=command.reference or hold.reference,
        partner=command.partner or hold.partner,
        activity=moved(account.balances.get(hold.currency, EMPTY_BALANCE), hold.currency, now, now),
        **shared,
    )
    return [*captured, *expiry_of_freed(account, movements, now, **shared)]


def _ended(hold: Hold, scale: int, now: datetime) -> Refusal | None:
    """Why nothing can be captured of a hold any more; None while it is open."""
    if hold.state == "captured":
        return hold_captured(hold, scale)
    if hold.state == "released":
        return hold_released()
    if hold.state == "timed_out" or now >= hold.expires_at:
        # The time-out may not be written yet; the clock of the command decides, not the sweeper.
        return hold_expired(hold)
    return None


def _unfit(hold: Hold, points: int, scale: int) -> Refusal | None:
    """Why so much of it cannot be captured."""
    if points <= 0:
        return not_positive()
    return exceeds_hold(hold, points, scale) if points > hold.held else None


def release(account: Account, command: ReleaseHold, now: datetime) -> list[Event] | Refusal:
    """Give back what is still on hold. An empty list: nothing is, for it was released or has timed out.

    Refused: `hold_unknown`, `hold_captured`.
    """
    hold = account.holds.get(command.hold_id)
    if hold is None:
        return hold_unknown(command.hold_id)
    if hold.state == "captured":
        return hold_captured(hold, account.balances.get(hold.currency, EMPTY_BALANCE).scale)
    if hold.state != "open":
        return []
    return free(account, hold, now, stamp(command, now))


def free(account: Account, hold: Hold, now: datetime, shared: dict[str, Any]) -> list[Event]:
    """Release a hold; what is past its date expires at once."""
    movements = let_go(hold)
    released = in_parts(HoldReleased, movements, hold_id=hold.hold_id, **shared)
    return [*released, *expiry_of_freed(account, movements, now, **shared)]


def spend(hold: Hold, points: int, *, release: bool) -> list[Movement]:
    """Redeem `points` of a hold in the order in which they were set aside; the rest goes back if it shall."""
    movements: list[Movement] = []
    for lot_id, _, held in hold.shares:
        taken = min(points, held)
        points -= taken
        if taken:
            movements.append(Movement(hold.currency, lot_id, "held", "redeemed", taken))
        if release and held > taken:
            movements.append(Movement(hold.currency, lot_id, "held", "available", held - taken))
    return movements


def let_go(hold: Hold) -> list[Movement]:
    """All that is still on hold, back to where it came from."""
    return [Movement(hold.currency, lot_id, "held", "available", held) for lot_id, _, held in hold.shares if held]
