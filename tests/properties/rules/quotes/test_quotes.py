"""A quote is what the purchase will be: for any programme, any history and any basket, by the very same functions."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.ids import decision_of, derive
from services.rules.decide import inputs
from services.rules.decide.state import participant_of, state_of
from services.rules.domain.basket import Basket
from services.rules.domain.occasions import Joining, join
from services.rules.domain.participant import Background, Participant, PublishedProgramme
from services.rules.domain.programme import ProgrammeVersion
from services.rules.domain.purchases import Receipt, judge
from services.rules.domain.quoting import quoted
from services.rules.domain.records import awarded_in
from services.rules.domain.sums import Contribution, Contributions
from services.rules.programme_file import compile_programme
from tests.properties.rules.evaluation.baskets import START, baskets, programmes

EXAMPLES = settings(max_examples=60, deadline=None)
MEMBER, ACCOUNT = derive("member"), derive("account")
DISCOUNTS = """
programme: p
zone: Europe/Warsaw
money: PLN
currencies: {points: {scale: 2}}
tiers: {levels: [{tier: silver, from: 1}, {tier: gold, from: 30}]}
exclude: {redeem: "line.category == 'tobacco'", payments: gift-card}
earn:
  - {rule: off, give: {silver: 3 % off, gold: 7.5 % off}, lines: "line.category != 'bread'"}
  - {rule: club, give: 5 % off, when: "purchase.total >= 20"}
  - {rule: back, give: 5 %}
  - {rule: album, give: 1 point per 7.00, cap: {day: 3 times}}
"""


@st.composite
def discounted(draw: st.DrawFn) -> ProgrammeVersion:
    """Any programme, or one whose quotes take something off."""
    return draw(st.one_of(programmes(), st.just(compile_programme(DISCOUNTS))))


def published(version: ProgrammeVersion) -> PublishedProgramme:
    """The programme with this one version, in force since before anything was bought."""
    return PublishedProgramme(version.key, (replace(version, version=1, starts_at=START - timedelta(days=30)),))


def receipt(basket: Basket, number: int) -> Receipt:
    """A purchase of the one member."""
    key = derive("purchase", str(number))
    return Receipt(decision_of(ACCOUNT, key), MEMBER, key, f"p{number}", basket)


def stored(participant: Participant) -> Participant:
    """The participant as it is read back from its row."""
    row = {
        "account_id": participant.account_id, "member_id": participant.member_id, "tenant": participant.tenant,
        "programme": participant.programme, "enrolled_at": participant.enrolled_at,
        "decisions": participant.decisions, "state": state_of(participant),
    }  # fmt: skip
    return replace(participant_of(row, {}), known=participant.known)


@EXAMPLES
@given(discounted(), st.lists(baskets(least=1), min_size=1, max_size=5))
def test_the_later_award_is_what_was_quoted(version: ProgrammeVersion, bought: list[Basket]) -> None:
    """Bought at the prices that were quoted, with nothing in between, it earns what the quote said, to the unit."""
    programme = published(version)
    background = Background(programme, Contributions())
    participant = join(Joining(ACCOUNT, MEMBER, "default", "p", START - timedelta(days=9)), background).participant
    kept: list[Contribution] = []
    for number, basket in enumerate(sorted(bought, key=lambda each: each.at)):
        quote = quoted(stored(participant), receipt(basket, number), Background(programme, Contributions.of(kept)))
        assert quote.receipt.basket.total == basket.total - sum(each.amount for each in quote.discounts)
        # The till sends what it was quoted: lines less their discounts, paid as the customer pays.
        decided = judge(stored(participant), quote.receipt, Background(programme, Contributions.of(kept)))
        assert decided.decision.facts == quote.decided.decision.facts
        assert inputs.encode(decided.decision.inputs) == inputs.encode(quote.decided.decision.inputs)
        assert decided.commands == quote.decided.commands
        participant = decided.participant
        kept.append(Contribution(basket.at, decided.decision.measures))


@EXAMPLES
@given(discounted(), baskets(least=1))
def test_a_next_step_gives_at_least_what_it_promises(version: ProgrammeVersion, basket: Basket) -> None:
    """Whoever adds goods for the money that is named earns more by that rule, whatever caps there are."""
    programme = published(version)
    background = Background(programme, Contributions())
    participant = join(Joining(ACCOUNT, MEMBER, "default", "p", START - timedelta(days=9)), background).participant
    quote = quoted(participant, receipt(basket, 1), Background(programme, Contributions()))
    for step in quote.steps:
        assert step.money is None or step.money > 0
        if step.kind == "points":
            last = max(basket.lines, key=lambda line: line.line)
            more = replace(last, line=last.line + 1, amount=step.money or 0, category="", tax=None, partner="")
            larger = replace(quote.receipt.basket, lines=(*quote.receipt.basket.lines, more))
            decided = judge(participant, receipt(larger, 1), Background(programme, Contributions()))
            before, after = awarded_in(quote.decided.decision.facts), awarded_in(decided.decision.facts)
            assert after.get(step.currency, 0) >= before.get(step.currency, 0)
