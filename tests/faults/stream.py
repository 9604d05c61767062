"""A stream of purchases and returns with everything that depends on order: the same in every run of a test.

All of it lies so far back that nothing activates or lapses while tests run: what a purchase brings has been active for
long, and its miles have lapsed.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from tests.e2e import till
from tests.e2e.till import Fields, Outgoing

PROGRAMME: Final = "storm"
MEMBERS: Final = 100
PURCHASES: Final = 3_000

FILE: Final = f"""programme: {PROGRAMME}
zone: Europe/Warsaw
money: PLN
currencies:
  points: {{scale: 2, worth: 1.00, activates: 14 days}}
  miles: {{scale: 0, worth: 0, expires: {{after: 6 months, at: end_of_month}}}}
on_enrolment: 50 points
tiers:
  by: spend
  window: 12 months
  keep_for: 12 months
  levels:
    - {{tier: bronze, from: 100}}
    - {{tier: silver, from: 500}}
    - {{tier: gold, from: 1000}}
exclude:
  earn: "line.category == 'tobacco'"
earn:
  - {{rule: level, give: {{bronze: 5 %, silver: 10 %, gold: 15 %}}}}
  - {{rule: dairy, lines: "line.category == 'dairy'", give: x2}}
  - {{rule: way, give: 1 miles per 10.00}}
  - {{rule: first, once_per: member, give: 20 points}}
  - {{rule: big, when: "purchase.total >= 80", give: 5 points, cap: {{month: 2 times}}}}
caps: {{day: 3 times}}
redeem: {{unbacked: to_zero}}
returns: {{spent: negative}}
"""

_BEGINNING: Final = datetime(2024, 1, 1, 8, tzinfo=UTC)
_DAYS: Final = 300
_CATEGORIES: Final = ("dairy", "bread", "tobacco", "fruit")


@dataclass(frozen=True, slots=True)
class Stream:
    """What is sent: members join, buy, and later bring some of it back. Purchases are in the order of their sending."""

    enrolments: Sequence[Outgoing]
    purchases: Sequence[Outgoing]
    returns: Sequence[Outgoing]


def make(purchases: int = PURCHASES, members: int = MEMBERS, seed: int = 20240101) -> Stream:
    """The stream; a member's purchases lie mostly in order of time, some come late.

    Of each member one purchase is brought back: returns go by their purchases, and nothing is promised between two.
    """
    chance = random.Random(seed)  # noqa: S311 - the same stream every time, nothing secret
    cards = [f"7700{number:05d}" for number in range(members)]
    made = [_purchase(chance, number, purchases, chance.choice(cards)) for number in range(purchases)]
    of_cards: dict[str, list[Fields]] = {}
    for data in made:
        of_cards.setdefault(data["member"]["value"], []).append(data)
    brought = [chance.choice(bought) for bought in of_cards.values()]
    return Stream(
        [_enrolment(card) for card in cards],
        [till.purchase(data, _sent_at(data), f"sale-{data['purchase_id']}") for data in made],
        [_return(data) for data in brought],
    )


def interleaved(messages: Iterable[Outgoing], seed: int) -> list[Outgoing]:
    """The same messages with keys mixed in another way; those of one key keep their order."""
    by_key: dict[str, list[Outgoing]] = {}
    for message in messages:
        by_key.setdefault(message.key, []).append(message)
    turns = [key for key, found in by_key.items() for _ in found]
    random.Random(seed).shuffle(turns)  # noqa: S311 - an order, nothing secret
    following = {key: iter(found) for key, found in by_key.items()}
    return [next(following[key]) for key in turns]


def twice(messages: Sequence[Outgoing]) -> Iterator[Outgoing]:
    """Each message twice in a row, and all of them once more."""
    for message in messages:
        yield message
        yield message
    yield from messages


def _enrolment(card: str) -> Outgoing:
    return till.enrolment(PROGRAMME, card, _BEGINNING, _BEGINNING, f"enrol-{card}", {})


def _purchase(chance: random.Random, number: int, purchases: int, card: str) -> Fields:
    late = timedelta(days=chance.randint(1, 40)) if chance.random() < 0.05 else timedelta()
    at = _BEGINNING + timedelta(days=50 + _DAYS * number / purchases) - late
    lines = [
        till.line(index, str(Decimal(chance.randint(50, 4_000)) / 100), chance.choice(_CATEGORIES))
        for index in range(1, chance.randint(2, 5))
    ]
    total = sum(Decimal(line["amount"]) for line in lines)
    payments = [till.paid_by_card(str(total))]
    if chance.random() < 0.1 and total > 5:
        payments = [till.by_points("5.00"), till.paid_by_card(str(total - 5))]
    return till.purchase_data(PROGRAMME, f"storm-{number}", card, at, lines, payments=payments, currency="PLN")


def _return(data: Fields) -> Outgoing:
    line = data["lines"][0]
    at = _sent_at(data) + timedelta(days=2)
    back = till.return_data(
        PROGRAMME, f"back-{data['purchase_id']}", data["purchase_id"], at, [(1, line["quantity"], line["amount"])]
    )
    return till.returned(back, at, f"return-{data['purchase_id']}")


def _sent_at(data: Fields) -> datetime:
    return datetime.fromisoformat(data["purchased_at"])
