"""A purchase in the index: what came back of it, in whatever order it came. Given, when, then."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.ids import derive
from services.rules.domain import purchase_index as domain
from services.rules.domain.identifier import Holder
from services.rules.domain.purchase_index import (
    Contradicted,
    Entry,
    Event,
    Indexed,
    IndexedPurchase,
    Return,
    Returned,
    ReturnKept,
    ReturnRefused,
    fold,
)
from services.rules.domain.refusals import Refusal

AT = datetime(2026, 3, 1, tzinfo=UTC)
NOTHING = IndexedPurchase()
UNIT = 10_000


def holder(name: str = "anna") -> Holder:
    return Holder(derive("account", name), derive("member", name), "grocer")


def entry(*lines: tuple[int, int, int], name: str = "anna", content: bytes = b"one") -> Entry:
    return Entry(holder(name), content, AT, lines)


def back(name: str, *lines: tuple[int, int, int]) -> Return:
    return Return(derive("return", name), lines)


# A line of three pieces for 10.00, and a bottle deposit that was given back.
THREE = (1, 3 * UNIT, 10 * UNIT)
DEPOSIT = (2, UNIT, -UNIT // 2)


def test_a_purchase_is_entered_once() -> None:
    """The same entry again changes nothing."""
    assert domain.enter(entry(THREE), NOTHING) == [Indexed(entry(THREE))]
    assert domain.enter(entry(THREE), fold(NOTHING, [Indexed(entry(THREE))])) == []


def test_R2_what_remains_is_counted_over_all_returns() -> None:
    """One line, quantity 3, returned one by one: 3.33, 3.33, 3.34."""
    state = fold(NOTHING, [Indexed(entry(THREE))])
    remaining: list[tuple[int, int, int]] = []
    for name, amount in (("a", 33_300), ("b", 33_300), ("c", 33_400)):
        event = domain.take_back(back(name, (1, UNIT, amount)), state)
        assert isinstance(event, Returned)
        remaining += event.remaining
        state = fold(state, [event])
    assert remaining == [(1, 2 * UNIT, 66_700), (1, UNIT, 33_400), (1, 0, 0)]


def test_R8_a_return_that_comes_first_is_applied_when_its_purchase_comes() -> None:
    """As if they had come in order."""
    half = back("half", (1, UNIT, 3 * UNIT))
    assert domain.take_back(half, NOTHING) == ReturnKept(half)
    waiting = fold(NOTHING, [ReturnKept(half)])
    events = domain.enter(entry(THREE, DEPOSIT), waiting)
    assert events == [
        Indexed(entry(THREE, DEPOSIT)),
        Returned(half, holder(), ((1, 2 * UNIT, 7 * UNIT), DEPOSIT)),
    ]


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        ([(3, UNIT, UNIT)], Refusal.unknown_line(3, 0)),
        ([(1, 4 * UNIT, UNIT)], Refusal.returns_more_than_bought(1, 0, "quantity", "3")),
        ([(1, UNIT, 10 * UNIT + 1)], Refusal.returns_more_than_bought(1, 0, "amount", "10.00")),
        ([(1, UNIT, -1)], Refusal.returns_more_than_bought(1, 0, "amount", "10.00")),
        ([(1, UNIT, UNIT), (2, UNIT, -UNIT)], Refusal.returns_more_than_bought(2, 1, "amount", "-0.50")),
        ([(2, UNIT, 1)], Refusal.returns_more_than_bought(2, 0, "amount", "-0.50")),
    ],
)
def test_R9_a_return_that_does_not_fit_says_where(lines: list[tuple[int, int, int]], refusal: Refusal) -> None:
    """More than was bought, or an unknown line; nothing of such a return is applied."""
    state = fold(NOTHING, [Indexed(entry(THREE, DEPOSIT))])
    wrong = back("wrong", *lines)
    assert domain.take_back(wrong, state) == ReturnRefused(wrong, refusal)
    assert fold(state, [ReturnRefused(wrong, refusal)]) == state


def test_R9_more_than_is_left_after_an_earlier_return_is_refused() -> None:
    """Two pieces came back; the third is all that is left."""
    state = fold(NOTHING, [Indexed(entry(THREE)), Returned(back("a", (1, 2 * UNIT, 6 * UNIT)), holder(), ())])
    again = back("b", (1, 2 * UNIT, 4 * UNIT))
    assert domain.take_back(again, state) == ReturnRefused(
        again, Refusal.returns_more_than_bought(1, 0, "quantity", "1")
    )


def test_D2_the_same_purchase_under_another_identifier_is_a_conflict() -> None:
    """The first stands; the other account loses what it earned, unless it is the same one, or nobody's."""
    first = entry(THREE)
    state = fold(NOTHING, [Indexed(first)])
    other, own = entry(THREE, name="boris", content=b"two"), entry(THREE, content=b"two")
    nobodys = Entry(None, b"two", AT, (THREE,))
    assert domain.enter(other, state) == [Contradicted(other, first)]
    assert [Contradicted(later, first).loser for later in (other, own, nobodys)] == [holder("boris"), None, None]
    assert Contradicted(other, nobodys).loser == holder("boris")
    assert fold(state, domain.enter(other, state)) == state


RETURNS = st.lists(
    st.tuples(st.integers(1, 2), st.integers(0, 4), st.integers(0, 12)).map(
        lambda one: (one[0], one[1] * UNIT, one[2] * UNIT)
    ),
    max_size=6,
)


@given(lines=RETURNS, place=st.integers(min_value=0, max_value=6))
def test_returns_come_to_the_same_wherever_their_purchase_comes_between_them(
    lines: Sequence[tuple[int, int, int]], place: int
) -> None:
    """Any place of the purchase among its returns gives the same verdicts and the same remainder, never below zero."""
    returns = [back(str(number), line) for number, line in enumerate(lines)]
    bought = entry(THREE, (2, 2 * UNIT, 5 * UNIT))

    def outcome(steps: Sequence[Return | Entry]) -> tuple[list[Event], IndexedPurchase]:
        state = NOTHING
        settled: list[Event] = []
        for step in steps:
            events = domain.enter(step, state) if isinstance(step, Entry) else [domain.take_back(step, state)]
            settled += [event for event in events if isinstance(event, Returned | ReturnRefused)]
            state = fold(state, events)
        return settled, state

    settled, state = outcome([bought, *returns])
    later, state_later = outcome([*returns[:place], bought, *returns[place:]])
    assert later == settled
    assert state_later.remaining == state.remaining
    assert all(quantity >= 0 and amount >= 0 for _, quantity, amount in state.remaining)
