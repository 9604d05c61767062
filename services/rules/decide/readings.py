"""What comes to a participant, read once.

These messages were validated where they came in, and published by this service itself, so they are read from their JSON
as it is: a receipt of ten lines a second time through the models would cost more than all the rest of its reading.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from contracts.amounts import TEN_THOUSANDTHS, parse_decimal
from contracts.ids import decision_of, derive
from services.rules.domain.basket import POINTS_PAYMENT, Basket, BasketLine, BasketPayment, Occasion
from services.rules.domain.facts import ONESELF
from services.rules.domain.occasions import Doing, Joining
from services.rules.domain.outcome import Award
from services.rules.domain.participant import Known
from services.rules.domain.programme import ENROLMENT
from services.rules.domain.purchases import PointsPayment, Receipt
from services.rules.domain.referrals import Lessening, Receiving
from services.rules.domain.remainders import GoodsReturned, Refund
from services.rules.domain.returns import Conflict
from services.runtime.messages import Message, MessageFault, invalid_data

DUE: Final = "rules.participant.due"
"""Not a contract: what the sweeper hands to this process's own writer."""

_REMEMBERED: Final = 65_536
_NO_ATTRIBUTES: Final[Mapping[str, object]] = {}


@dataclass(frozen=True, slots=True)
class Due:
    """The tier must be looked at."""

    at: datetime


@dataclass(frozen=True, slots=True)
class TierGiven:
    """Facts of which one is a tier that was given by hand, until an instant."""

    known: Known
    tier: str
    until: datetime


Subject = Receipt | Joining | GoodsReturned | Conflict | Doing | Known | TierGiven | Receiving | Lessening | Due


@dataclass(slots=True)
class Reading:
    """A message to one participant. `decision_id` is the decision it will be; None: it is none.

    `at` is when it happened; `of` the decision on the purchase that it takes back. `content` is the message as it came.
    """

    account_id: UUID
    member_id: UUID
    tenant: str
    programme: str
    at: datetime
    subject: Subject
    content: dict[str, Any]
    decision_id: UUID | None = None
    of: UUID | None = None
    traceparent: str | None = None


def key_of(message: Message) -> str:
    """The account, which decides the shard."""
    if message.type == DUE:
        return message.key
    account_id = message.content["data"]["holder"]["account_id"]
    return str(uuid_of(account_id))


def read(message: Message) -> Reading:
    """Read a message. Raises `MessageFault` for one that is not what its type says."""
    if message.problems:
        raise invalid_data(message.problems)
    if message.type == DUE:
        return _tier_due(message)
    try:
        return read_content(message.content, message.tenant, message.traceparent)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # What stood in it may be personal: only the kind of the fault is told.
        raise MessageFault("invalid_data", f"not what {message.type} says: {type(error).__name__}") from error


def read_content(content: dict[str, Any], tenant: str, traceparent: str | None) -> Reading:
    """Read the content of a message, new or one that has waited."""
    reader = _READERS[content["type"]]
    data = content["data"]
    holder = data["holder"]
    reading = Reading(
        uuid_of(holder["account_id"]), uuid_of(holder["member_id"]), tenant, holder["programme"],
        _NO_TIME, _NO_SUBJECT, content, traceparent=traceparent,
    )  # fmt: skip
    reader(reading, data)
    return reading


uuid_of: Final[Callable[[str], UUID]] = lru_cache(maxsize=_REMEMBERED)(UUID)
ten_thousandths: Final[Callable[[str], int]] = lru_cache(maxsize=_REMEMBERED)(parse_decimal)


def instant(text: str) -> datetime:
    """An instant in UTC, so that instants compare quickly."""
    return datetime.fromisoformat(text).astimezone(UTC)


_NO_TIME: Final = datetime.min.replace(tzinfo=UTC)
_NO_SUBJECT: Final = Due(_NO_TIME)


def _tier_due(message: Message) -> Reading:
    account_id, member_id, programme, at = message.payload
    return Reading(account_id, member_id, message.tenant, programme, at, Due(at), {}, traceparent=message.traceparent)


def _purchase(reading: Reading, data: Mapping[str, Any]) -> None:
    purchase = data["purchase"]
    purchase_key = UUID(data["purchase_key"])
    reading.decision_id = decision_of(reading.account_id, purchase_key)
    receipt = receipt_of(
        reading.decision_id, reading.member_id, purchase_key, purchase, data["holder"].get("card_category", "")
    )
    reading.at, reading.subject = receipt.basket.at, receipt


def receipt_of(
    decision_id: UUID, member_id: UUID, purchase_key: UUID, purchase: Mapping[str, Any], card_category: str
) -> Receipt:
    """A receipt from a purchase as contracts have it."""
    payments = purchase["payments"]
    basket = Basket(
        lines=tuple([_line(line) for line in purchase["lines"]]),
        at=instant(purchase["purchased_at"]),
        payments=tuple([BasketPayment(payment["type"], ten_thousandths(payment["amount"])) for payment in payments]),
        store=purchase.get("store", ""),
        channel=purchase.get("channel", ""),
    )
    with_points = tuple([_points_payment(payment) for payment in payments if payment["type"] == POINTS_PAYMENT])
    return Receipt(decision_id, member_id, purchase_key, purchase["purchase_id"], basket, card_category, with_points)


def _line(line: Mapping[str, Any]) -> BasketLine:
    said = line.get
    quantity, points_paid, tax = said("quantity"), said("points_paid"), said("tax")
    return BasketLine(
        line["line"],
        said("sku", ""),
        said("category", ""),
        said("brand", ""),
        TEN_THOUSANDTHS if quantity is None else ten_thousandths(quantity),
        ten_thousandths(line["amount"]),
        ten_thousandths(points_paid) if points_paid else 0,
        None if tax is None else ten_thousandths(tax),
        said("seller", ""),
        said("partner", ""),
        said("attributes") or _NO_ATTRIBUTES,
    )


def _points_payment(payment: Mapping[str, Any]) -> PointsPayment:
    points, hold, redemption = payment.get("points"), payment.get("hold_id"), payment.get("redemption_id")
    return PointsPayment(
        ten_thousandths(payment["amount"]),
        None if points is None else ten_thousandths(points),
        UUID(hold) if hold else None,
        UUID(redemption) if redemption else None,
    )


def _joining(reading: Reading, data: Mapping[str, Any]) -> None:
    enrolment = data["enrolment"]
    reading.at = instant(enrolment["enrolled_at"])
    reading.decision_id = decision_of(reading.account_id, ENROLMENT)
    reading.subject = Joining(
        reading.account_id,
        reading.member_id,
        reading.tenant,
        reading.programme,
        reading.at,
        data["holder"].get("card_category", ""),
        _day(enrolment.get("birthday")),
        _referrer(enrolment),
        enrolment.get("attributes") or {},
    )


def _referrer(enrolment: Mapping[str, Any]) -> str:
    """Who told the member of the programme, `type:value`."""
    referrer = enrolment.get("referred_by")
    if not referrer:
        return ""
    own = {(each["type"], each["value"]) for each in enrolment["identifiers"]}
    return ONESELF if (referrer["type"], referrer["value"]) in own else f"{referrer['type']}:{referrer['value']}"


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _facts(reading: Reading, data: Mapping[str, Any]) -> None:
    facts = data["facts"]
    reading.at = instant(facts["known_at"])
    segments = facts.get("segments")
    known = Known(
        reading.at,
        _day(facts.get("birthday")),
        None if segments is None else frozenset(segments),
        facts.get("attributes") or {},
    )
    tier = facts.get("tier")
    reading.subject = known
    if tier is not None:
        reading.subject = TierGiven(known, tier["tier"], instant(tier["until"]))


def _activity(reading: Reading, data: Mapping[str, Any]) -> None:
    activity = data["activity"]
    activity_key = UUID(data["activity_key"])
    reading.at = instant(activity["occurred_at"])
    reading.decision_id = decision_of(reading.account_id, activity_key)
    occasion = Occasion(
        f"activity.{activity['name']}", reading.at, activity.get("product", ""), activity.get("attributes") or {}
    )
    category = data["holder"].get("card_category", "")
    reading.subject = Doing(
        reading.decision_id, reading.member_id, activity_key, activity["activity_id"], occasion, category
    )


def _award(reading: Reading, data: Mapping[str, Any]) -> None:
    """An award by somebody else's purchase, or what a return there makes of it."""
    said = data["award"]
    award_key, change_key = UUID(said["award_key"]), UUID(said["change_key"])
    reading.decision_id = decision_of(reading.account_id, change_key)
    if change_key != award_key:
        reading.at = instant(said["changed_at"])
        reading.of = decision_of(reading.account_id, award_key)
        reading.subject = Lessening(reading.decision_id, change_key, reading.at, reading.of, said["points"])
        return
    reading.at = instant(said["occurred_at"])
    award = Award(
        said["currency"], said["scale"], said["points"], ((said["rule"], said["points"]),),
        activates_at=_instant(said["activates_at"]), expires_at=_instant(said["expires_at"]), rule=said["rule"],
    )  # fmt: skip
    giver, purchase = uuid_of(said["giver"]["account_id"]), said.get("giver_decision_id")
    reading.subject = Receiving(
        reading.decision_id, reading.member_id, award_key, reading.at, giver, said["version"], said["rule"], award,
        UUID(purchase) if purchase else None,
    )  # fmt: skip
    if giver == reading.account_id:
        # Who refers oneself loses what that purchase gave for it.
        reading.of = reading.subject.giver_decision_id


def _instant(text: str | None) -> datetime | None:
    return instant(text) if text else None


def _return(reading: Reading, data: Mapping[str, Any]) -> None:
    returned = data["returned"]
    return_key = UUID(data["return_key"])
    refunds = returned.get("refunds")
    reading.at = instant(returned["returned_at"])
    reading.decision_id = decision_of(reading.account_id, return_key)
    reading.of = decision_of(reading.account_id, UUID(data["purchase_key"]))
    reading.subject = GoodsReturned(
        reading.decision_id,
        return_key,
        returned["return_id"],
        reading.at,
        {
            line["line"]: (ten_thousandths(line["quantity"]), ten_thousandths(line["amount"]))
            for line in data["remaining"]
        },
        None if refunds is None else tuple([_refund(refund) for refund in refunds]),
    )


def _refund(refund: Mapping[str, Any]) -> Refund:
    points = refund.get("points")
    return Refund(
        refund["type"], ten_thousandths(refund["amount"]), None if points is None else ten_thousandths(points)
    )


def _conflict(reading: Reading, data: Mapping[str, Any]) -> None:
    purchase_key = UUID(data["purchase_key"])
    conflict_key = derive("conflict", purchase_key)
    reading.at = instant(data["found_at"])
    reading.decision_id = decision_of(reading.account_id, conflict_key)
    reading.of = decision_of(reading.account_id, purchase_key)
    reading.subject = Conflict(reading.decision_id, conflict_key, reading.at)


_READERS: Final[Mapping[str, Callable[[Reading, Mapping[str, Any]], None]]] = {
    "bonus.receipt.identified.v1": _purchase,
    "bonus.participant.enrolled.v1": _joining,
    "bonus.facts.identified.v1": _facts,
    "bonus.activity.identified.v1": _activity,
    "bonus.award.identified.v1": _award,
    "bonus.return.indexed.v1": _return,
    "bonus.purchase.conflicted.v1": _conflict,
}
