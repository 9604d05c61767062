"""Sums over a window: moved from anchor to anchor, they equal the plain sum over everything that ever counted."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.rules.domain import sums
from services.rules.domain.sums import NOTHING, Band, Contribution, Contributions, Measures, Span, WindowSum

DAY_0 = datetime(2026, 1, 1, tzinfo=UTC)
WINDOW = timedelta(days=30)


def day(number: int) -> datetime:
    return DAY_0 + timedelta(days=number)


def start(at: datetime) -> datetime:
    return at - WINDOW


def of(amount: int) -> Measures:
    return Measures(amount, 2 * amount, 1)


def recorded_in(everything: list[Contribution], needed: tuple[Band, ...]) -> Contributions:
    """What a storage would find of `everything` in the bands asked for."""
    return Contributions.of(one for one in everything for band in needed if band.after < one.at <= band.until)


def test_a_window_leaves_its_beginning_out_and_takes_its_end_in() -> None:
    """Windows look back, (t - window, t]: what was bought exactly a window ago no longer counts."""
    bought = [(0, 1), (1, 10), (30, 100), (31, 1_000)]
    contributions = Contributions.of(Contribution(day(number), of(amount)) for number, amount in bought)
    moved = sums.move(sums.empty(day(0), start), day(30), start, contributions)
    assert moved == WindowSum(day(30), day(0), Measures(110, 220, 2))
    assert sums.move(moved, day(31), start, contributions) == WindowSum(day(31), day(1), Measures(1_100, 2_200, 2))
    assert sums.move(moved, day(29), start, contributions) == WindowSum(day(29), day(-1), Measures(11, 22, 2))


def test_the_usual_purchase_reads_nothing() -> None:
    """Later than all others, and the window still holds the first purchase: there is nothing to read."""
    at_ten = WindowSum(day(10), day(-20), of(7))
    assert sums.bands(at_ten, Span(day(0), day(10)), [day(11), day(12)], start) == ()


def test_a_purchase_reads_what_leaves_the_window() -> None:
    """Forty days after the first purchase, the first ten days are read; no more."""
    at_ten = WindowSum(day(10), day(-20), of(7))
    needed = sums.bands(at_ten, Span(day(0), day(10)), [day(35)], start)
    assert needed == (Band(day(0) - timedelta(microseconds=1), day(5)),)


def test_bands_that_touch_are_read_once() -> None:
    """A row that is found in two bands would count twice."""
    found = [Band(day(9), day(12)), Band(day(0), day(5)), Band(day(3), day(7)), Band(day(7), day(8))]
    assert sums.merged(found) == (Band(day(0), day(8)), Band(day(9), day(12)))


def test_the_purchase_before_is_found_across_returns() -> None:
    """A return counts at the date of a purchase, but it is no purchase."""
    contributions = Contributions.of(
        [Contribution(day(1), of(5)), Contribution(day(2), Measures(-5, -10, -1)), Contribution(day(3), of(1))]
    )
    assert contributions.last_before(day(3)) == day(1)
    assert contributions.last_before(day(1)) is None


days = st.integers(min_value=-100, max_value=100)
purchases = st.lists(st.tuples(days, st.integers(min_value=-50, max_value=500)), min_size=1, max_size=30)


@given(recorded=purchases, batch=purchases)
def test_moving_equals_the_plain_sum(recorded: list[tuple[int, int]], batch: list[tuple[int, int]]) -> None:
    """Whatever was recorded in any order, and whatever the batch brings, late or not, the sums are the plain ones."""
    everything = [Contribution(day(number), of(amount)) for number, amount in recorded]
    latest = max(one.at for one in everything)
    span = Span(min(one.at for one in everything), latest)
    anchor = WindowSum(latest, start(latest), plain(everything, latest))
    needed = sums.bands(anchor, span, [day(number) for number, _ in batch], start)
    contributions = recorded_in(everything, sums.merged(needed))
    for number, amount in batch:
        at = day(number)
        assert sums.move(anchor, at, start, contributions).measures == plain(everything, at)
        contribution = Contribution(at, of(amount))
        everything.append(contribution)
        anchor = sums.counted(anchor, contribution)
        contributions.add(contribution)
        anchor = sums.move(anchor, max(at, anchor.at), start, contributions)
        assert anchor.measures == plain(everything, anchor.at)


def plain(everything: list[Contribution], at: datetime) -> Measures:
    """The sum as a child would take it."""
    total = NOTHING
    for one in everything:
        if start(at) < one.at <= at:
            total = total.plus(one.measures)
    return total
