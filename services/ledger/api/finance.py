"""Routes: what finance asks of a programme."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel
from starlette.responses import Response

from contracts.amounts import format_decimal, format_points
from contracts.envelope import MAX_YEAR, MIN_YEAR, Code
from services.ledger.api.state import FromParts, Parts, Reader
from services.ledger.domain.guards import Guards
from services.ledger.queries import SQL
from services.ledger.queries.finance import (
    Moved,
    PeriodArchivedError,
    cohorts,
    figures_of,
    liability,
    movements_between,
    owed,
    settled,
)
from services.runtime.http.answers import answer
from services.runtime.http.application import JsonRoute
from services.runtime.http.problems import Problem

router = APIRouter(prefix="/v1/programmes/{programme}", tags=["finance"], route_class=JsonRoute)

_AN_INSTANT: Final = timedelta(microseconds=1)
_DAY_LENGTH: Final = len("2026-05-31")

Programme = Annotated[Code, Path(description="The programme.")]
When = Annotated[str, Query(description="A day (its end, in the programme's zone), or an instant with its zone.")]


class MonthLiability(BaseModel):
    """Points that expire in a month (`2027-06`), or `never`."""

    month: str
    points: str


class CurrencyLiability(BaseModel):
    """What is owed in one currency: points, and what they are worth in the programme's money."""

    outstanding: str
    pending: str
    available: str
    held: str
    in_transit: str
    debt: str
    worth: str | None
    months: list[MonthLiability]


class LiabilityAnswer(BaseModel):
    """What is owed to members at an instant."""

    programme: str
    as_of: datetime
    money: str | None
    currencies: dict[str, CurrencyLiability]


class CurrencyMovements(BaseModel):
    """A period in one currency: opening + what came in - what went out = closing."""

    opening: str
    issued: str
    adjusted: str
    transferred_in: str
    transferred_out: str
    redeemed: str
    expired: str
    reversed: str
    closing: str
    movements: int


class MovementsAnswer(BaseModel):
    """What moved in a period; opening and closing are what is owed less debt."""

    programme: str
    since: datetime
    until: datetime
    currencies: dict[str, CurrencyMovements]


class CohortAnswer(BaseModel):
    """Points by month of issue; `breakage` is the share that expired unused, of what is decided of them by now."""

    currency: str
    month: str
    issued: str
    redeemed: str
    expired: str
    reversed: str
    outstanding: str
    breakage: float | None


class BreakageAnswer(BaseModel):
    """Breakage by cohort of issue."""

    programme: str
    items: list[CohortAnswer]


class Owed(BaseModel):
    """What one partner owes another: the one who gave the points to the one who was paid with them.

    `debtor` or `creditor` null: the programme itself. `amount` is in the programme's money, null without a worth.
    """

    currency: str
    debtor: str | None
    creditor: str | None
    points: str
    amount: str | None


class SettlementAnswer(BaseModel):
    """What partners owe each other for a period."""

    programme: str
    since: datetime
    until: datetime
    money: str | None
    items: list[Owed]


@dataclass(frozen=True, slots=True)
class Period:
    """A period of a programme, from `begin` to before `end`; `scales` are the decimals of its currencies."""

    parts: Parts
    tenant: str
    programme: str
    guards: Guards
    scales: Mapping[str, int]
    begin: datetime
    end: datetime

    async def moved(self, since: datetime | None, until: datetime) -> list[Moved]:
        """What moved from an instant (None: ever) to before another. Problem 410 `period_archived`."""
        found = movements_between(self.parts.reads, self.tenant, self.programme, since, until)
        try:
            return [each async for each in found]
        except PeriodArchivedError as error:
            raise _archived("from") from error

    def document(self) -> dict[str, Any]:
        """What an answer says of it."""
        return {"programme": self.programme, "since": self.begin, "until": self.end}


async def period_of(
    programme: Programme,
    caller: Reader,
    parts: FromParts,
    since: Annotated[str, Query(alias="from", description="The first day, or an instant.")],
    until: Annotated[str, Query(alias="to", description="The last day, or an instant that is left out.")] = "",
) -> Period:
    """The period that is asked about. Problems: 404 `programme_unknown`, 422 `not_a_time`, `period_empty`."""
    now = parts.clock()
    guards = parts.programmes.guards(caller.tenant, programme, now)
    begin, end = _period(since, until, guards.zone, now)
    return Period(parts, caller.tenant, programme, guards, await _scales(parts, caller.tenant, programme), begin, end)


FromPeriod = Annotated[Period, Depends(period_of)]


@router.get("/liability", response_model=LiabilityAnswer)
async def get_liability(programme: Programme, caller: Reader, parts: FromParts, as_of: When = "") -> Response:
    """What is owed to members, by currency and month of expiry, at any date.

    Problems 422 `not_a_time`, 410 `period_archived`.
    """
    guards = parts.programmes.guards(caller.tenant, programme, parts.clock())
    before = _bound(as_of, guards.zone, "as_of", after=True)
    if before is None or len(as_of) > _DAY_LENGTH:
        # What counts at the very instant is in; a day ends before the next begins.
        before = (before or parts.clock()) + _AN_INSTANT
    scales = await _scales(parts, caller.tenant, programme)
    try:
        found = await liability(parts.reads, caller.tenant, programme, before)
    except PeriodArchivedError as error:
        raise _archived("as_of") from error
    document = {
        currency: {
            "outstanding": format_points(each.outstanding, scales[currency]),
            **{
                name: format_points(each.buckets[name], scales[currency])
                for name in ("pending", "available", "held", "in_transit", "debt")
            },
            "worth": _worth(guards, currency, each.outstanding),
            "months": [
                {"month": month, "points": format_points(points, scales[currency])}
                for month, points in sorted(each.months.items())
                if points
            ],
        }
        for currency, each in sorted(found.items())
    }
    money = _money(parts, caller.tenant, programme)
    return answer({"programme": programme, "as_of": before - _AN_INSTANT, "money": money, "currencies": document})


@router.get("/movements", response_model=MovementsAnswer)
async def get_movements(period: FromPeriod) -> Response:
    """What moved in a period: opening + issued + … = closing.

    Problems 422 `not_a_time`, `period_empty`, 410 `period_archived`.
    """
    before, within = await period.moved(None, period.begin), await period.moved(period.begin, period.end)
    opening, changes = figures_of(before), figures_of(within)
    document = {
        currency: _movements(
            opening.get(currency, Counter()), changes.get(currency, Counter()), period.scales[currency],
            sum(each.movements for each in within if each.currency == currency),
        )
        for currency in sorted({*opening, *changes})
    }  # fmt: skip
    return answer(period.document() | {"currencies": document})


@router.get("/breakage", response_model=BreakageAnswer)
async def get_breakage(programme: Programme, caller: Reader, parts: FromParts) -> Response:
    """Which share of the points issued in a month expired unused, by month of issue."""
    guards = parts.programmes.guards(caller.tenant, programme, parts.clock())
    scales = await _scales(parts, caller.tenant, programme)
    items = [
        {
            "currency": each.currency,
            "month": each.month,
            **{
                name: format_points(getattr(each, name), scales[each.currency])
                for name in ("issued", "redeemed", "expired", "reversed", "outstanding")
            },
            "breakage": _share(each.expired, each.redeemed + each.expired),
        }
        for each in await cohorts(parts.reads, caller.tenant, programme, guards.zone)
    ]
    return answer({"programme": programme, "items": items})


@router.get("/settlement", response_model=SettlementAnswer)
async def get_settlement(period: FromPeriod) -> Response:
    """What the partners of a coalition owe each other for a period: who gave the points that another was paid with.

    Problems 422 `not_a_time`, `period_empty`, 410 `period_archived`.
    """
    moved = await period.moved(period.begin, period.end)
    items = [
        {
            "currency": currency,
            "debtor": debtor or None,
            "creditor": creditor or None,
            "points": format_points(points, period.scales[currency]),
            "amount": _worth(period.guards, currency, points),
        }
        for (currency, debtor, creditor), points in sorted(settled(moved).items())
        if points
    ]
    return answer(period.document() | {"money": _money(period.parts, period.tenant, period.programme), "items": items})


def _movements(opening: Mapping[str, int], changes: Mapping[str, int], scale: int, movements: int) -> dict[str, Any]:
    names = ("issued", "adjusted", "transferred_in", "transferred_out", "redeemed", "expired", "reversed")
    return {
        "opening": format_points(owed(opening), scale),
        **{name: format_points(changes.get(name, 0), scale) for name in names},
        "closing": format_points(owed(opening) + owed(changes), scale),
        "movements": movements,
    }


def _period(since: str, until: str, zone: str, now: datetime) -> tuple[datetime, datetime]:
    """From when to before when; to now where nothing is said. Problems 422 `not_a_time`, `period_empty`."""
    begin = _bound(since, zone, "from", after=False) or now
    end = _bound(until, zone, "to", after=True) or now + _AN_INSTANT
    if begin > end:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, "period_empty", "The period ends before it begins", field="query.to"
        )
    return begin, end


def _money(parts: Parts, tenant: str, programme: str) -> str | None:
    """The programme's money currency; None where nothing was published."""
    state = parts.programmes.state(tenant, programme)
    return state.versions[-1].money if state is not None and state.versions else None


def _bound(text: str, zone: str, name: str, *, after: bool) -> datetime | None:
    """The instant meant, None where nothing is said: where a day begins or (`after`) ends, or an instant as written."""
    if not text:
        return None
    try:
        if len(text) > _DAY_LENGTH:
            instant = datetime.fromisoformat(text)
            if instant.tzinfo is None or not MIN_YEAR <= instant.year <= MAX_YEAR:
                raise _no_time(name)
            return instant
        day = date.fromisoformat(text)
    except ValueError:
        raise _no_time(name) from None
    if not MIN_YEAR <= day.year <= MAX_YEAR:
        raise _no_time(name)
    return datetime.combine(day + timedelta(days=1 if after else 0), time(), ZoneInfo(zone))


def _archived(name: str) -> Problem:
    return Problem(
        HTTPStatus.GONE, "period_archived", "The events of that hour were archived",
        "ask for an instant that is midnight in UTC: whole days are answered for ever", field=f"query.{name}",
    )  # fmt: skip


def _no_time(name: str) -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY, "not_a_time", "This is no day and no instant",
        'write a day such as "2026-05-31", or an instant with its zone', field=f"query.{name}",
    )  # fmt: skip


async def _scales(parts: Parts, tenant: str, programme: str) -> Mapping[str, int]:
    """Decimals of the programme's currencies. Problem 404 `programme_unknown` where nothing was published or moved."""
    rows = await parts.reads.fetch(SQL.programme_scales, tenant, programme)
    if not rows and parts.programmes.state(tenant, programme) is None:
        raise Problem(HTTPStatus.NOT_FOUND, "programme_unknown", "There is no such programme")
    return {row["currency"]: row["scale"] for row in rows}


def _worth(guards: Guards, currency: str, points: int) -> str | None:
    terms = guards.currencies.get(currency)
    if terms is None:
        return None
    points_in_one = 10**terms.scale
    return format_decimal((2 * points * terms.worth + points_in_one) // (2 * points_in_one))


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
