"""Tallies of parts add up to the tally of the whole, in any order, also after they were kept."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.rules.domain.lift import Group
from services.rules.domain.tally import EXTREMES_MAX, Given, Place, Tally, plain, tally_of

GIVEN = st.builds(
    Given, st.sampled_from(("back", "first", "returned")), st.sampled_from(("points", "stamps")),
    st.integers(-500, 500), st.booleans(),
)  # fmt: skip
PLACE = st.builds(
    Place, st.sampled_from(("2026-01", "2026-02")), st.sampled_from(("2026-01-01", "2026-02-03")),
    st.sampled_from(("", "gold")), st.sampled_from(((), ("new",), ("new", "loyal"))),
)  # fmt: skip
STEP = st.tuples(st.sampled_from(("rehearsed", "live")), PLACE, GIVEN, st.integers(-9_000, 9_000))


def tally(steps: list[tuple[str, Place, Given, int]], first: int = 0) -> Tally:
    """Count some decisions, each of an account of its own."""
    found = Tally()
    for number, (side, place, what, money) in enumerate(steps, start=first):
        found.take("live" if side == "live" else "rehearsed", place, [what])
        found.gain(money, f"a{number:04d}", "m")
        found.count("baskets", place.month)
        found.lifts["campaign"] = (Group().with_member(money), Group(1, 2, 3))
    return found


@settings(max_examples=50, deadline=None)
@given(st.lists(STEP, max_size=60), st.integers(0, 60))
def test_parts_add_up_to_the_whole(steps: list[tuple[str, Place, Given, int]], cut: int) -> None:
    """Counted in one go or in two that were kept in between: the same sums, the same members named."""
    whole = tally(steps)
    first, second = tally(steps[:cut]), tally(steps[cut:], min(cut, len(steps)))
    second.plus(tally_of(plain(first)))
    mine, theirs = plain(second), plain(whole)
    assert {**mine, "lifts": None} == {**theirs, "lifts": None}
    assert len(mine["gains"]) <= 2 * EXTREMES_MAX
