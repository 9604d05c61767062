"""Late purchases and returns: sums count by date whatever the order, against a model that keeps everything."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.rules.domain.programme import Duration
from tests.unit.rules.participant.members import (
    BY_LEVEL,
    THREE_LEVELS,
    Member,
    earned,
    local,
    member_of,
    money,
    programme_of,
)

# Sixty days without a change of clocks: a window of 30 days is then 30 times 24 hours, for the model too.
NOON = local("2026-01-10 12:00")
NEVER_ENDING = replace(THREE_LEVELS, window=Duration(30, "days"), keep_for=Duration(100, "years"))
PERCENTS = {None: 0, "bronze": 5, "silver": 10, "gold": 15}
LEAST = (("gold", 1000), ("silver", 500), ("bronze", 100))

hours = st.integers(min_value=0, max_value=24 * 60)
amounts = st.sampled_from([5, 30, 60, 120, 300, 700])
purchases = st.lists(st.tuples(hours, amounts), min_size=1, max_size=25)


@dataclass
class Naive:
    """Keeps every purchase and sums again each time; tiers never end."""

    bought: list[tuple[datetime, int]] = field(default_factory=list)
    history: list[tuple[datetime, str]] = field(default_factory=list)

    def sum_at(self, at: datetime) -> int:
        """Of the thirty days before."""
        return sum(amount for when, amount in self.bought if at - timedelta(days=30) < when <= at)

    def tier_at(self, at: datetime) -> str | None:
        """By which a purchase is priced."""
        return next((tier for since, tier in reversed(self.history) if since <= at), None)

    def buys(self, at: datetime, amount: int) -> int:
        """Points earned, and the history moved on."""
        points = amount * PERCENTS[self.tier_at(at)]
        latest = max([at, *(when for when, _ in self.bought)])
        moments = [at, *(when for when, _ in self.bought if when >= at)]
        before = {moment: level_of(self.sum_at(moment)) for moment in moments}
        self.bought.append((at, amount))
        lifted = [level_of(self.sum_at(moment)) for moment in moments if level_of(self.sum_at(moment)) > before[moment]]
        if at == latest:
            lifted.append(level_of(self.sum_at(at)))
        best = max(lifted, default=0)
        if best > level_of(next((least for tier, least in LEAST if tier == self.tier_at(latest)), 0)):
            self.history.append((latest, LEAST[3 - best][0]))
        return points


def level_of(spend: int) -> int:
    return sum(spend >= least for _, least in LEAST)


@settings(max_examples=200)
@given(bought=purchases)
def test_T5_whatever_the_order_each_purchase_is_priced_as_the_model_says(bought: list[tuple[int, int]]) -> None:
    """Points, tiers and the instants of their changes equal those of a model that sums everything again."""
    naive, member = Naive(), member_of(programme_of(BY_LEVEL, tiers=NEVER_ENDING))
    for hour, amount in bought:
        at = NOON + timedelta(hours=hour)
        assert earned(member.buys(at, amount)) == naive.buys(at, amount)
        assert [(each.effective_at, each.tier) for each in member.participant.history] == naive.history
        standing = member.participant.sums["30 days"]
        assert standing.measures.qualifying == money(naive.sum_at(max(when for when, _ in naive.bought)))


@settings(max_examples=100)
@given(bought=purchases, data=st.data())
def test_D5_a_member_is_the_same_however_the_stream_is_cut(bought: list[tuple[int, int]], data: st.DataObject) -> None:
    """What a batch reads at its start and grows as it decides equals what each purchase would read alone."""
    one_by_one = member_of(programme_of(BY_LEVEL, tiers=replace(THREE_LEVELS, window=Duration(30, "days"))))
    for hour, amount in bought:
        one_by_one.buys(NOON + timedelta(hours=hour), amount)
    cut = data.draw(st.integers(min_value=0, max_value=len(bought)))
    together = member_of(programme_of(BY_LEVEL, tiers=replace(THREE_LEVELS, window=Duration(30, "days"))))
    for batch in (bought[:cut], bought[cut:]):
        buy_together(together, batch)
    assert together.participant == one_by_one.participant


def buy_together(member: Member, batch: list[tuple[int, int]]) -> None:
    """Read once for the whole batch."""
    instants = [NOON + timedelta(hours=hour) for hour, _ in batch]
    background = member.background(*instants)
    member.background = lambda *_: background  # type: ignore[method-assign]
    for at, (_, amount) in zip(instants, batch, strict=True):
        member.buys(at, amount)
    del member.background
