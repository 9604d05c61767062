"""The measured effect of a campaign: figures worked out by hand, and a campaign whose effect is known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from contracts.ids import account_of, decision_of, derive
from services.rules.domain.basket import Basket, BasketLine
from services.rules.domain.eligibility import is_held_out
from services.rules.domain.lift import Group, lift_of
from services.rules.domain.participant import Participant, PublishedProgramme
from services.rules.domain.purchases import Receipt
from services.rules.domain.rehearsing import AccountRehearsal, Plan, Recorded
from services.rules.domain.tally import Given, Tally, plain, tally_of
from services.rules.programme_file import compile_programme
from services.rules.rehearsal.report import report_of

START = datetime(2026, 1, 1, tzinfo=UTC)
FILE = """
programme: club
zone: Europe/Warsaw
money: PLN
currencies: {points: {scale: 2}}
earn:
  - {rule: back, give: 1 %}
  - {rule: campaign, give: 5 %, holdout: 20 %, from: 2026-02-01, until: 2026-02-28}
"""


def group(*spent: int) -> Group:
    """Members who spent so many zloty each."""
    found = Group()
    for each in spent:
        found = found.with_member(each * 10_000)
    return found


def test_the_interval_is_that_of_the_textbook() -> None:
    """Two groups of six with the same spread: ten degrees of freedom, 2.228 standard errors of 1.0801."""
    found = lift_of(group(1, 2, 3, 4, 5, 6), group(3, 4, 5, 6, 7, 8))
    assert found is not None
    between = [end / 10_000 for end in found.difference_between]
    assert found.difference == pytest.approx(20_000)
    assert between == pytest.approx([-0.4067, 4.4067], abs=0.001)
    assert found.share == pytest.approx(2 / 3.5)


def test_nothing_is_measured_by_a_group_of_one() -> None:
    """One member says nothing about chance; two who spent nothing say nothing in per cent."""
    assert lift_of(group(1), group(1, 2, 3)) is None
    nothing = lift_of(group(0, 0), group(1, 2))
    assert nothing is not None
    assert (nothing.share, nothing.difference) == (None, 15_000)


def test_a_campaign_whose_effect_is_known_is_measured() -> None:
    """Members who were reached spent a quarter more while it ran: the interval holds that, and not zero."""
    version = replace(compile_programme(FILE), version=1, starts_at=START - timedelta(days=400))
    programme = PublishedProgramme("club", (version,))
    campaign = version.rules[1]
    plan = Plan(version, programme, START, START + timedelta(days=90), None, ZoneInfo("Europe/Warsaw"), (campaign,))
    tally, other, chance = Tally(), Tally(), Random(7)  # noqa: S311 - no secret
    for number in range(600):
        member = derive("member", str(number))
        reached = not is_held_out(campaign, str(member))
        part = tally if number % 2 else other
        participant = Participant(account_of("default", "club", member), member, "default", "club", START)
        rehearsal = AccountRehearsal(plan, part, participant)
        for day in (10, 40):
            spent = chance.randint(50, 150) * 10_000
            if reached and day == 40:
                spent = spent * 5 // 4
            at = START + timedelta(days=day)
            key = derive("purchase", str(number), str(day))
            basket = Basket((BasketLine(1, amount=spent),), at)
            receipt = Receipt(decision_of(participant.account_id, key), member, key, f"p{number}-{day}", basket)
            rehearsal.again(receipt, at, member, Recorded("", [Given("back", "points", spent // 10_000)], at, spent))
        rehearsal.close()
    tally.plus(tally_of(plain(other)))
    [measured] = report_of(tally, plan, programme)["holdouts"]
    assert measured["kept_out"]["members"] + measured["reached"]["members"] == 600
    assert 80 <= measured["kept_out"]["members"] <= 160
    assert (measured["ran"], measured["share"]) == (True, 20.0)
    low, high = measured["lift"]["between"]
    assert 0 < low < 25 < high < 45
