"""A shop for the evaluation's tests: programmes as files say them, baskets and facts in the words of the cases."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from contracts.amounts import parse_decimal
from services.rules.domain.evaluation import Basket, BasketLine, BasketPayment, Evaluation, Facts, evaluate
from services.rules.domain.programme import ProgrammeVersion
from services.rules.programme_file import compile_programme

WARSAW = ZoneInfo("Europe/Warsaw")

HEAD = """
programme: shop
zone: Europe/Warsaw
money: PLN
"""
TWO_DECIMALS = HEAD + "currencies: {points: {scale: 2}}\n"
FIVE_PERCENT = TWO_DECIMALS + "earn:\n  - {rule: cashback, give: 5 %}\n"


def programme(text: str) -> ProgrammeVersion:
    """The programme that a file says."""
    return compile_programme(text)


def local(text: str) -> datetime:
    """A time in the programme's zone: `2026-03-05 17:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=WARSAW)


NOON = local("2026-03-05 12:00")


def line(number: int, amount: str, category: str = "", **rest: object) -> BasketLine:
    """One line; money and quantities as decimal strings."""
    for name in ("quantity", "points_paid", "tax"):
        if isinstance(rest.get(name), str):
            rest[name] = parse_decimal(rest[name])
    return BasketLine(line=number, category=category, amount=parse_decimal(amount), **rest)  # type: ignore[arg-type]


def basket(
    *lines: BasketLine | str, at: datetime = NOON, paid: Mapping[str, str] | None = None, store: str = ""
) -> Basket:
    """A basket of lines, or of amounts; paid by card unless told otherwise."""
    found = tuple(
        [each if isinstance(each, BasketLine) else line(number, each) for number, each in enumerate(lines, 1)]
    )
    payments = tuple([BasketPayment(kind, parse_decimal(amount)) for kind, amount in (paid or {}).items()])
    return Basket(found, at, payments, store)


def earns(text: str, bought: Basket, facts: Facts | None = None) -> Evaluation:
    """What a basket earns under a programme."""
    return evaluate(programme(text), bought, facts or Facts())


def points(text: str, bought: Basket, facts: Facts | None = None) -> int:
    """The points of a basket, in the smallest unit of the first currency."""
    version = programme(text)
    return evaluate(version, bought, facts or Facts()).points(version.currencies[0].key)


def counted(before: Mapping[str, int], evaluation: Evaluation) -> dict[str, int]:
    """Counters after a decision."""
    keys = {**before, **evaluation.increments}
    return {key: before.get(key, 0) + evaluation.increments.get(key, 0) for key in keys}
