"""Routes: quotes. What a basket would come to, told to a till that is still ringing it up."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, Header, Request
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from contracts.amounts import format_decimal
from contracts.envelope import Code, Identifier, Instant, Shape, Text
from contracts.ids import decision_of, derive
from contracts.purchases import (
    MAX_LINES,
    MAX_PAYMENTS,
    MAX_TOTAL,
    CurrencyCode,
    Line,
    MemberIdentifier,
    Payment,
)
from services.rules.api.state import FromParts, Parts, Reader
from services.rules.domain.basket import POINTS_PAYMENT, Basket, BasketLine, BasketPayment
from services.rules.domain.identifier import Holder
from services.rules.domain.membership import MembershipTerms
from services.rules.domain.participant import Background, PublishedProgramme
from services.rules.domain.purchases import PointsPayment, Receipt
from services.rules.domain.quoting import quoted
from services.rules.domain.refusals import Refusal
from services.rules.quotes.document import Known, said
from services.rules.quotes.members import MEMBER_ERASED, Members, Standing, newcomer
from services.rules.settings import RulesSettings
from services.runtime.http.answers import answer
from services.runtime.http.application import JsonRoute
from services.runtime.http.languages import LANGUAGES, asked_for
from services.runtime.http.problems import Problem

router = APIRouter(prefix="/v1/quotes", tags=["quotes"], route_class=JsonRoute)

_NO_ID: Final = "quote"
_NEWCOMERS: Final = frozenset({"no_member", "unknown_member"})
"""Whose account is not there yet: what a member who joins now would get is told all the same."""


class QuoteBasket(Shape):
    """A basket as the till will send it when it is paid; what it does not know yet may be left out.

    Without `payments` nothing is said of how it will be paid; with them, they add up as in a purchase.
    """

    programme: Code
    currency: CurrencyCode
    lines: Annotated[tuple[Line, ...], Field(min_length=1, max_length=MAX_LINES)]
    payments: Annotated[tuple[Payment, ...], Field(max_length=MAX_PAYMENTS)] = ()
    member: MemberIdentifier | None = None
    purchase_id: Identifier = _NO_ID
    purchased_at: Instant | None = Field(default=None, description="Left out: now.")
    store: Text = ""
    channel: Text = ""

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if len({line.line for line in self.lines}) != len(self.lines):
            raise PydanticCustomError("line_repeated", "each line has a number of its own", {"field": "lines"})
        if sum(abs(line.amount) + line.points_paid for line in self.lines) >= MAX_TOTAL:
            raise PydanticCustomError("too_much", "no purchase comes to that much", {"field": "lines"})
        due = sum(line.amount + line.points_paid for line in self.lines)
        paid = sum(payment.amount for payment in self.payments)
        if self.payments and due != paid:
            raise PydanticCustomError(
                "does_not_add_up",
                "lines and points paid come to {due}, payments to {paid}",
                {"due": format_decimal(due), "paid": format_decimal(paid), "field": "payments"},
            )
        return self


@router.post("")
async def post_quote(
    request: Request,
    body: QuoteBasket,
    caller: Reader,
    parts: FromParts,
    accept_language: Annotated[str | None, Header(description=f"One of {', '.join(LANGUAGES)}.")] = None,
) -> Response:
    """What a basket would come to, in one answer; nothing is changed.

    The account, discounts, what would be earned line by line, the level, how many points may be spent and why not more,
    what lapses soon, balances as rules knows them (`account_version` says of when), texts for the cashier and the slip,
    and the next best steps. Bought now at these prices, the purchase earns exactly this. `code` says why nothing would
    be: `identifier_blocked`, `no_version_in_force`, `programme_suspended`, `card_category_not_eligible`,
    `member_erased`, `capped_per_…`; with `unknown_member` and `no_member` it is what one who joins now would get.

    Problems: 422 `unknown_programme`, `wrong_currency`, `time_in_future`, and what is wrong with the basket.
    """
    settings: RulesSettings = request.app.state.settings
    now = parts.clock()
    at = (body.purchased_at or now).astimezone(UTC)
    programme = await programme_of(parts, caller.tenant, body.programme)
    terms = terms_of(programme, at, body.currency)
    if at > now + timedelta(seconds=settings.rules_time_ahead_max_s):
        raise _refused(Refusal.time_in_future(at, now, "$.purchased_at"))
    until = max(at, now) + timedelta(days=settings.quote_expiring_days)
    async with parts.reads.acquire() as connection:
        members = Members(connection, parts.queries.on(connection), parts.vault)
        name = body.member.key if body.member else None
        shown = await members.shown(caller.tenant, body.programme, name, at, terms)
        standing: Standing | None = newcomer(shown.holder, caller.tenant, body.programme, at)
        if shown.holder is not None and shown.code is None:
            standing = await members.standing(caller.tenant, shown.holder, programme, at, until)
    known: dict[str, Any] = {"programme": body.programme, "account_id": None, "member_id": None, "code": shown.code}
    if shown.holder is None and shown.code not in _NEWCOMERS:
        return answer(known)
    if shown.holder is not None:
        known |= {"account_id": shown.holder.account_id, "member_id": shown.holder.member_id}
    if standing is None:
        return answer(known | {"code": MEMBER_ERASED})
    language = asked_for(accept_language)
    receipt = _receipt(body, shown.holder, standing, at)
    found = said(
        quoted(standing.participant, receipt, Background(programme, standing.contributions)),
        Known(standing.books, standing.lots, until),
        language,
    )
    return answer(known | found | {"code": shown.code or found["code"]}, headers={"Content-Language": language})


async def programme_of(parts: Parts, tenant: str, name: str) -> PublishedProgramme:
    """A published programme. Problem 422 `unknown_programme`."""
    if parts.programmes is None:
        raise RuntimeError("these parts were made without programmes")
    programme = await parts.programmes.published(tenant, name)
    if not programme.versions:
        raise _refused(Refusal.unknown_programme(name))
    return programme


def terms_of(programme: PublishedProgramme, at: datetime, currency: str) -> MembershipTerms:
    """What the programme says of members at a time. Problem 422 `wrong_currency`."""
    terms = MembershipTerms.of(programme.in_force(at) or programme.versions[0])
    if currency != terms.money:
        raise _refused(Refusal.wrong_currency(currency, terms.money))
    return terms


def _receipt(body: QuoteBasket, holder: Holder | None, standing: Standing, at: datetime) -> Receipt:
    """The purchase that the basket would be, read as the worker reads it."""
    account_id, key = standing.participant.account_id, derive("quote", body.purchase_id)
    payments = body.payments
    basket = Basket(
        lines=tuple([_line(line) for line in body.lines]),
        at=at,
        payments=tuple([BasketPayment(payment.type, payment.amount) for payment in payments]),
        store=body.store,
        channel=body.channel,
    )
    with_points = tuple(
        [
            PointsPayment(each.amount, each.points, each.hold_id, each.redemption_id)
            for each in payments
            if each.type == POINTS_PAYMENT
        ]
    )
    return Receipt(
        decision_of(account_id, key),
        standing.participant.member_id if holder is None else holder.member_id,
        key,
        body.purchase_id,
        basket,
        holder.card_category if holder else "",
        with_points,
    )


def _line(line: Line) -> BasketLine:
    return BasketLine(
        line.line, line.sku, line.category, line.brand, line.quantity, line.amount, line.points_paid, line.tax,
        line.seller, line.partner, line.attributes,
    )  # fmt: skip


def _refused(refusal: Refusal) -> Problem:
    field = refusal.field and refusal.field.replace("$.data.", "$.")
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, refusal.code, "Nothing can be quoted", refusal.message, field=field)
