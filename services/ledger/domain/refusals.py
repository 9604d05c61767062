"""Why the ledger does not do something: values, each named once here.

Facts are for programs and people alike: points as decimal strings in their currency's scale, instants in ISO 8601.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from contracts.amounts import MAX_POINTS, format_decimal, format_points
from services.ledger.domain.account import Account, Balance, Hold


@dataclass(frozen=True, slots=True)
class Refusal:
    """A stable `code`, a sentence for a person, and the facts behind it."""

    code: str
    message: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The command is kept until another, `command_id`, has come."""

    command_id: UUID


# The account as a whole


def account_unknown(account_id: UUID) -> Refusal:
    """Nothing was ever booked on this account."""
    return Refusal("account_unknown", "There is no such account.", {"account_id": str(account_id)})


def account_frozen() -> Refusal:
    """No redemptions, holds or transfers until an operator unfreezes it."""
    return Refusal("account_frozen", "The account is frozen.")


def account_closed() -> Refusal:
    """The account was closed for good."""
    return Refusal("account_closed", "The account is closed.")


def account_merged(into: UUID | None) -> Refusal:
    """Another account took this one up."""
    return Refusal("account_merged", "The account was merged into another.", {"merged_into": str(into)})


def member_erased() -> Refusal:
    """Only figures are left of this member."""
    return Refusal("member_erased", "The member was erased.")


def account_holds_points(held: int, scale: int) -> Refusal:
    """An account cannot be closed while points are on hold."""
    facts = {"held": format_points(held, scale)}
    return Refusal("hold_open", "Points are on hold: capture or release them first.", facts)


def transfer_open(in_transit: int, scale: int) -> Refusal:
    """An account cannot be closed while points are on their way."""
    facts = {"in_transit": format_points(in_transit, scale)}
    return Refusal("transfer_open", "Points are on their way to another account.", facts)


def reason_required() -> Refusal:
    """What an operator does says why."""
    return Refusal("reason_required", "Say the reason.")


def operator_required() -> Refusal:
    """What an operator does says who."""
    return Refusal("operator_required", "Say who does this.")


# Amounts


def currency_unknown(currency: str) -> Refusal:
    """Neither the account nor its programme knows this currency."""
    return Refusal("unknown_currency", f"The programme has no currency {currency}.", {"currency": currency})


def scale_differs(currency: str, known: int, given: int) -> Refusal:
    """A currency never changes how many decimals it has."""
    facts = {"currency": currency, "scale": str(known), "given": str(given)}
    return Refusal("scale_differs", f"{currency} has {known} decimals, not {given}.", facts)


def not_positive() -> Refusal:
    """Zero and negative points are no redemption, hold or transfer."""
    return Refusal("not_positive", "Write points above zero.")


def amount_too_large() -> Refusal:
    """Sums of points stay below 2^62, so that they fit a signed 64-bit column."""
    return Refusal("amount_too_large", "That is more points than the books can carry.", {"most": str(MAX_POINTS)})


def insufficient_points(balance: Balance, points: int) -> Refusal:
    """Available points do not cover it; pending ones do not count yet."""
    return Refusal(
        "insufficient_points",
        "There are not enough available points.",
        {
            "requested": format_points(points, balance.scale),
            "available": format_points(balance.available, balance.scale),
            "pending": format_points(balance.pending, balance.scale),
        },
    )


# The programme's limits on redemptions and transfers


def programme_suspended() -> Refusal:
    """Nothing is redeemed while the programme is suspended."""
    return Refusal("programme_suspended", "The programme is suspended.")


def confirmation_required(above: int, scale: int) -> Refusal:
    """The member has to confirm redemptions above this."""
    facts = {"above": format_points(above, scale)}
    return Refusal("confirmation_required", "The member has to confirm this amount.", facts)


_CONFIRMATION_PROBLEMS: Final[Mapping[str, str]] = {
    "confirmation_invalid": "This is no confirmation for this till, account and currency.",
    "confirmation_expired": "The confirmation has expired: ask the member again.",
    "confirmation_differs": "The member confirmed another amount.",
    "confirmation_used": "The confirmation was used for another hold or redemption.",
}


def confirmation_refused(code: str) -> Refusal:
    """The confirmation is there and not good: `confirmation_invalid`, `_expired`, `_differs`, `_used`."""
    return Refusal(code, _CONFIRMATION_PROBLEMS[code])


def below_minimum(least: int, scale: int) -> Refusal:
    """A redemption is at least this."""
    return Refusal("below_minimum", "That is below the least redemption.", {"at_least": format_points(least, scale)})


def not_a_multiple(step: int, scale: int) -> Refusal:
    """A redemption is a multiple of this."""
    return Refusal("not_a_multiple", "Redeem a multiple of the step.", {"step": format_points(step, scale)})


def bill_negative() -> Refusal:
    """A bill, and what of it may be paid with points, is zero or more."""
    return Refusal("bill_negative", "Write a bill, and what of it may be paid with points, as zero or more.")


def bill_required() -> Refusal:
    """The programme limits the share of the bill, so the bill has to be said."""
    return Refusal("bill_required", "Say the bill: the programme limits the share of it that points may pay.")


def exceeds_share_of_bill(redeemable: int, share: tuple[int, int], most: int, scale: int) -> Refusal:
    """Points may pay only this share of what may be paid with points."""
    return Refusal(
        "exceeds_share_of_bill",
        "Points may not pay that much of the bill.",
        {
            "redeemable": format_decimal(redeemable),
            "share": f"{share[0]}/{share[1]}",
            "at_most": format_points(most, scale),
        },
    )


def too_many_redemptions(per_day: int) -> Refusal:
    """The day's redemptions are used up."""
    return Refusal("too_many_redemptions", "There were enough redemptions today.", {"per_day": str(per_day)})


def exceeds_monthly_transfers(most: int, sent: int, scale: int) -> Refusal:
    """The month's transfers are used up."""
    return Refusal(
        "exceeds_monthly_transfers",
        "That is more than may be transferred in a month.",
        {"per_month": format_points(most, scale), "sent": format_points(sent, scale)},
    )


def same_account() -> Refusal:
    """Nothing can be sent to, or merged with, the account itself."""
    return Refusal("same_account", "These are one and the same account.")


# Holds and redemptions


def hold_unknown(hold_id: UUID) -> Refusal:
    """No such hold was placed on this account."""
    return Refusal("hold_unknown", "There is no such hold on this account.", {"hold_id": str(hold_id)})


def hold_captured(hold: Hold, scale: int) -> Refusal:
    """It was captured before, with another amount."""
    facts = {"captured": format_points(hold.captured, scale)}
    return Refusal("hold_captured", "The hold was captured already.", facts)


def hold_released() -> Refusal:
    """It was released before."""
    return Refusal("hold_released", "The hold was released.")


def hold_expired(hold: Hold) -> Refusal:
    """Nobody captured it in time."""
    return Refusal("hold_expired", "The hold has timed out.", {"expired_at": hold.expires_at.isoformat()})


def exceeds_hold(hold: Hold, points: int, scale: int) -> Refusal:
    """More than is on hold."""
    facts = {"requested": format_points(points, scale), "held": format_points(hold.held, scale)}
    return Refusal("exceeds_hold", "That is more than is on hold.", facts)


def time_out_too_long(most_s: int) -> Refusal:
    """A hold ends some day."""
    return Refusal("time_out_too_long", "A hold cannot last that long.", {"most_s": str(most_s)})


def redemption_unknown(redemption_id: UUID) -> Refusal:
    """No such redemption on this account."""
    facts = {"redemption_id": str(redemption_id)}
    return Refusal("redemption_unknown", "There is no such redemption on this account.", facts)


def exceeds_redemption(remaining: int, points: int, scale: int) -> Refusal:
    """More than is left of the redemption."""
    facts = {"requested": format_points(points, scale), "remaining": format_points(remaining, scale)}
    return Refusal("exceeds_redemption", "That is more than is left of the redemption.", facts)


def nothing_to_restore() -> Refusal:
    """All that the redemption took is back already, or it took nothing."""
    return Refusal("nothing_to_restore", "Nothing of this redemption is left to give back.")


def unbacked_points(points: int, scale: int) -> Refusal:
    """A purchase says that it was paid with points which nobody redeemed."""
    facts = {"unbacked": format_points(points, scale)}
    return Refusal("unbacked_points", "Nothing backs the points that the purchase was paid with.", facts)


# Returns, merges


def already_reversed() -> Refusal:
    """All that the accrual gave was taken back before."""
    return Refusal("already_reversed", "All of this accrual was taken back before.")


def nothing_to_reverse() -> Refusal:
    """The accrual came and opened no lot in this currency."""
    return Refusal("nothing_to_reverse", "The accrual gave nothing that could be taken back.")


def merge_in_progress(with_account: UUID) -> Refusal:
    """It is taking up another account, and cannot be taken up before that ends."""
    facts = {"account_id": str(with_account)}
    return Refusal("merge_in_progress", "The account is taking up another one.", facts)


def ended(account: Account) -> Refusal | None:
    """Why nothing new may be booked on an account that has ended; None while it lives."""
    if account.erased:
        return member_erased()
    return account_closed() if account.status == "closed" else None


def unexplained(reason: str, operator: str) -> Refusal | None:
    """Why an operator may not do what is not accounted for: the reason, or who does it, is not said."""
    if not reason.strip():
        return reason_required()
    return None if operator.strip() else operator_required()


def barred(account: Account, *, suspended: bool) -> Refusal | None:
    """Why an account gives nothing beyond what it promised: it is frozen, or its programme is suspended."""
    if account.status == "frozen":
        return account_frozen()
    return programme_suspended() if suspended else None


def expires_before_now(at: datetime) -> Refusal:
    """Points that have lapsed already cannot be given."""
    return Refusal("expires_in_the_past", "That date has passed.", {"expires_at": at.isoformat()})
