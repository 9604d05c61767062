"""Random programmes and baskets: what may be written, and what a till may send."""

from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import strategies as st

from services.rules.domain.evaluation import Basket, BasketLine, BasketPayment, Facts
from services.rules.domain.programme import ProgrammeVersion
from services.rules.programme_file import compile_programme

CATEGORIES: Final = ("dairy", "bread", "tobacco", "")
PARTNERS: Final = ("", "a", "b")
START: Final = datetime(2026, 3, 5, 11, tzinfo=UTC)
COIN: Final = 100

ROUNDING: Final = ("half_up", "half_even", "floor")
GIVES: Final = (
    "5 %", "7.35 %", "1 point per 10.00", "3 points per unit", "25 points", "x2", "x1.5", "{gold: 12 %, silver: 3 %}",
)  # fmt: skip
CONDITIONS: Final = (
    "", "lines: \"line.category == 'dairy'\"", 'when: "purchase.total >= 20"', 'lines: "line.amount > 3"',
    "when: \"member.tier == 'gold'\"", "cap: {purchase: 4 points}", "counts_points_paid: yes", "base: net",
    "expires: 7 days", "stop: yes",
)  # fmt: skip


@st.composite
def programmes(draw: st.DrawFn) -> ProgrammeVersion:
    """A programme of up to five rules, with any rounding, exclusions and caps."""
    rules = draw(st.lists(st.tuples(st.sampled_from(GIVES), st.sampled_from(CONDITIONS)), min_size=1, max_size=5))
    together = draw(st.booleans())
    lines = []
    for number, (give, condition) in enumerate(rules):
        group = f", best_of: {_kind(give)}" if together else ""
        lines.append(f"  - {{rule: r{number}, give: {give}{group}{f', {condition}' if condition else ''}}}")
    worth = draw(st.sampled_from(("1.00", "0.10", "0.03")))
    terms = f"scale: {draw(st.integers(0, 4))}, worth: {worth}, rounding: {draw(st.sampled_from(ROUNDING))}"
    by = draw(st.sampled_from(("basket", "line")))
    caps = draw(st.sampled_from(("", "caps: {purchase: 6 points}", "caps: {purchase: 50 points, day: 2 times}")))
    exclude = draw(st.sampled_from(("", "exclude: {earn: \"line.category == 'tobacco'\", payments: gift-card}")))
    head = f"programme: p\nzone: Europe/Warsaw\nmoney: PLN\ncurrencies: {{points: {{{terms}, round_by: {by}}}}}\n"
    tiers = "tiers: {levels: [{tier: silver, from: 1}, {tier: gold, from: 2}]}\n"
    return compile_programme(head + tiers + "earn:\n" + "\n".join(lines) + f"\n{caps}\n{exclude}\n")


def _kind(give: str) -> str:
    """Only what can be compared may share a group."""
    if give.startswith("x"):
        return "multipliers"
    return "whole" if give == "25 points" else "lines"


@st.composite
def baskets(draw: st.DrawFn, least: int = 0) -> Basket:
    """Up to eight lines of whole coins, deposits and empty ones among them; partly paid with points or a gift card."""
    amount = st.integers(-300, 9_999).map(lambda coins: coins * COIN)
    lines = []
    for number in range(1, draw(st.integers(1, 8)) + 1):
        cost = draw(amount) if least <= 0 else abs(draw(amount)) + least
        tax = draw(st.sampled_from((None, max(cost, 0) * 23 // 123)))
        category, partner = draw(st.sampled_from(CATEGORIES)), draw(st.sampled_from(PARTNERS))
        quantity = draw(st.integers(0, 5)) * 10_000
        lines.append(BasketLine(number, "", category, "", quantity, cost, 0, tax, "", partner))
    total = max(sum(line.amount for line in lines), 0)
    points, card = draw(st.integers(0, total)), draw(st.integers(0, total))
    paid = [BasketPayment("points", points), BasketPayment("gift-card", min(card, total - points))]
    at = START + timedelta(minutes=draw(st.integers(0, 10_000)))
    return Basket(tuple(lines), at, tuple(payment for payment in paid if payment.amount))


@st.composite
def members(draw: st.DrawFn) -> Facts:
    """A member of any level who was there for a while."""
    return Facts(tier=draw(st.sampled_from((None, "silver", "gold"))), purchases=draw(st.integers(0, 3)))
