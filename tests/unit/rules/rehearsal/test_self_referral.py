"""A rehearsal takes back what a purchase gave for a referrer who was the member oneself, as it was taken back live."""

from dataclasses import replace
from datetime import timedelta

from contracts.ids import decision_of
from services.rules.domain.basket import Basket, BasketLine
from services.rules.domain.occasions import Joining, join
from services.rules.domain.participant import Background, PublishedProgramme
from services.rules.domain.purchases import Receipt
from services.rules.domain.replay import PastReturn, PastSelfReferral, Replay
from services.rules.domain.sums import Contributions
from services.rules.domain.tally import RETURNED, Given, given_by
from services.rules.programme_file import compile_programme
from tests.unit.rules.participant.members import ACCOUNT, MEMBER, START, key, money

SALON = """
programme: club
zone: Europe/Warsaw
money: PLN
currencies: {points: {scale: 2, worth: 1.00}}
earn:
  - {rule: cashback, give: 5 %}
  - {rule: friend, when: "purchase.total >= 50 && member.referred_by != ''", once_per: member, give: 100 points}
"""


def test_E14_a_rehearsal_takes_back_what_one_gave_oneself() -> None:
    """100 and 3 for 60.00; the 100 go when it is known, and the 3 with the goods; told again, nothing more goes."""
    version = replace(compile_programme(SALON), version=1, starts_at=START)
    programme = PublishedProgramme("club", (version,))
    joining = Joining(ACCOUNT, MEMBER, "default", "club", START, referred_by="card:770002")
    participant = join(joining, Background(programme, Contributions())).participant
    bought_at = START + timedelta(days=1)
    basket = Basket((BasketLine(1, amount=money(60)),), bought_at)
    purchase = Receipt(decision_of(ACCOUNT, key("p1")), MEMBER, key("p1"), "p1", basket)
    found = PastSelfReferral(decision_of(ACCOUNT, key("found")), key("found"), bought_at, purchase.decision_id)
    back = PastReturn(
        decision_of(ACCOUNT, key("r1")), key("r1"), "r1", bought_at + timedelta(days=1), purchase.decision_id,
        {1: (0, 0)}, None, None,
    )  # fmt: skip
    replay = Replay(participant, programme, {purchase.decision_id})
    decided = [replay.again(past) for past in (purchase, found, found, back)]
    assert [each and given_by(each.commands) for each in decided] == [
        [Given("cashback", "points", 3_00), Given("friend", "points", 100_00)],
        [Given(RETURNED, "points", -100_00)],
        None,
        [Given(RETURNED, "points", -3_00)],
    ]
