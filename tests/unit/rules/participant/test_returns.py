"""Returns: what is left of the basket is priced again, and the difference is taken back, never more than was given."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from contracts.ids import command_of
from services.rules.domain.basket import BasketPayment
from services.rules.domain.commands import Redeem, Restore, Reverse
from services.rules.domain.programme import Currency, Duration, Give, Returns, Rule
from services.rules.domain.programme import Redeem as RedeemTerms
from services.rules.domain.purchases import PointsPayment
from services.rules.domain.remainders import Refund
from tests.unit.rules.participant.members import (
    Member,
    condition,
    earned,
    fixed,
    local,
    member_of,
    money,
    percent,
    programme_of,
    restored,
    taken,
)

NOON = local("2026-03-01 12:00")
LATER = local("2026-03-05 12:00")
FIVE = programme_of(percent(5))


def paid_with_points(points: float, card: float) -> dict[str, object]:
    """Payments of a purchase, partly with points worth 1.00 each."""
    return {
        "payments": (BasketPayment("points", money(points)), BasketPayment("card", money(card))),
        "points_payments": (PointsPayment(money(points), money(points)),),
    }


def test_R1_lines_take_back_what_they_gave() -> None:
    """Lines 100, 200 (x2), 300 at 5 % gave 5, 20, 15: line 2 takes 20, then lines 1 and 3 take 20."""
    is_dairy = condition("line.category", lambda category: category == "dairy")
    double = Rule("double", Give("multiplier", "points", Fraction(2), text="x2"), lines=is_dairy)
    member = member_of(programme_of(percent(5), double))
    assert earned(member.buys(NOON, 100.00, 200.00, 300.00, categories=["bread", "dairy"])) == 4000
    assert taken(member.returns(LATER, "p1", {2: (0, 0)})) == 2000
    assert taken(member.returns(LATER, "p1", {1: (0, 0), 3: (0, 0)})) == 2000


def test_R2_one_by_one_comes_back_what_the_whole_gave() -> None:
    """Quantity 3 for 10.00 earned 0.50; what remains is worth 0.33, 0.17, 0: reversals 0.17, 0.16, 0.17."""
    member = member_of(FIVE)
    assert earned(member.buys(NOON, 10.00, quantity=3)) == 50
    left = ((2, 6.67), (1, 3.34), (0, 0))
    assert [taken(member.returns(LATER, "p1", {1: each})) for each in left] == [17, 16, 17]


def test_R3_what_no_longer_holds_is_taken_back_whole() -> None:
    """100 extra from 500: 550 at 5 % earned 127.50; 100 returned leaves 450, worth 22.50: reversal 105.00."""
    is_big = condition("purchase.total", lambda total: total >= money(500))
    member = member_of(programme_of(percent(5), fixed(100, when=is_big)))
    assert earned(member.buys(NOON, 450.00, 100.00)) == 2750 + 10000
    assert taken(member.returns(LATER, "p1", {2: (0, 0)})) == 10500
    assert taken(member.returns(LATER, "p1", {1: (0, 0)})) == 2250


def test_what_is_given_once_stays_given_for_what_is_left() -> None:
    """The rest is priced by the counters recorded with the decision, not by today's, where it was given already."""
    member = member_of(programme_of(percent(5), fixed(100, once_per="member")))
    assert earned(member.buys(NOON, 450.00, 100.00)) == 2750 + 10000
    assert taken(member.returns(LATER, "p1", {2: (0, 0)})) == 500
    assert taken(member.returns(LATER, "p1", {1: (0, 0)})) == 2250 + 10000


def test_E5_a_line_returned_takes_its_rounded_part() -> None:
    """Two lines of 10.10 by basket earned 1.01: line 1 takes 0.50, then line 2 takes 0.51."""
    member = member_of(FIVE)
    assert earned(member.buys(NOON, 10.10, 10.10)) == 101
    assert taken(member.returns(LATER, "p1", {1: (0, 0)})) == 50
    assert taken(member.returns(LATER, "p1", {2: (0, 0)})) == 51


def test_R11_refunds_left_out_come_back_pro_rata() -> None:
    """120 paid 60 points and 60 card earned 3.00; half returned: 30 points back, reversal 1.50."""
    member = member_of(FIVE)
    assert earned(member.buys(NOON, 120.00, quantity=2, **paid_with_points(60, 60))) == 300  # type: ignore[arg-type]
    decided = member.returns(LATER, "p1", {1: (1, 60)})
    assert (restored(decided), taken(decided)) == (3000, 150)


def test_R11_refunds_that_are_named_are_taken_at_their_word() -> None:
    """It names `card: 60`: no points back, reversal 3.00."""
    member = member_of(FIVE)
    member.buys(NOON, 120.00, quantity=2, **paid_with_points(60, 60))  # type: ignore[arg-type]
    decided = member.returns(LATER, "p1", {1: (1, 60)}, (Refund("card", money(60)),))
    assert (restored(decided), taken(decided)) == (0, 300)


def test_R12_points_come_back_in_whole_units_that_add_up() -> None:
    """50 points paid on three equal lines, scale 0, returned one by one: 17, 16, 17."""
    stamps = programme_of(percent(5), currencies=(Currency("points", scale=0),))
    member = member_of(stamps)
    member.buys(NOON, 20.00, 20.00, 20.00, **paid_with_points(50, 10))  # type: ignore[arg-type]
    returns = [member.returns(LATER, "p1", {line: (0, 0)}) for line in (1, 2, 3)]
    assert [restored(one) for one in returns] == [17, 16, 17]


def test_points_come_back_to_the_redemption_of_the_purchase_with_its_grace() -> None:
    """The command names the redemption that the purchase made, and how long points past their date live on."""
    terms = programme_of(percent(5), redeem=RedeemTerms("points"), returns=Returns("negative", Duration(7, "days")))
    member = member_of(terms)
    bought = member.buys(NOON, 100.00, **paid_with_points(40, 60))  # type: ignore[arg-type]
    paid = next(command for command in bought.commands if isinstance(command, Redeem))
    assert (paid.points, paid.command_id) == (4000, command_of("redeem", bought.decision.decision_id, "0"))
    decided = member.returns(local("2026-03-28 12:00"), "p1", {1: (0, 0)})
    given_back = next(one for one in decided.commands if isinstance(one, Restore))
    back = next(one for one in decided.commands if isinstance(one, Reverse))
    # The clocks go forward on 29 March: seven days of the calendar are an hour shorter.
    assert (given_back.redemption_id, given_back.points) == (paid.command_id, 4000)
    assert given_back.restore_for_s == 7 * 86_400 - 3_600
    assert (back.points, back.spent_policy) == (300, "negative")


def test_a_full_return_frees_what_is_given_once_only_where_told() -> None:
    """`frees_once`: the next purchase is the first again; else it is not."""
    once = fixed(5, once_per="member")
    for returns, expected in ((Returns(), 0), (Returns(frees_once=True), 500)):
        member = member_of(programme_of(once, returns=returns))
        member.buys(NOON, 10.00)
        member.returns(LATER, "p1", {1: (0, 0)})
        assert earned(member.buys(LATER, 10.00)) == expected


baskets = st.lists(st.integers(min_value=-500, max_value=50_000), min_size=1, max_size=6)


@given(cents=baskets, order=st.randoms(use_true_random=False), percents=st.integers(1, 30))
def test_returned_line_by_line_takes_exactly_what_was_given(cents: list[int], order: object, percents: int) -> None:
    """In whatever order lines come back, the reversals add up to the award, and none is below zero."""
    member: Member = member_of(programme_of(percent(percents)))
    given_points = earned(member.buys(NOON, *(each / 100 for each in cents)))
    lines = list(range(1, len(cents) + 1))
    order.shuffle(lines)  # type: ignore[attr-defined]
    reversals = [taken(member.returns(LATER, "p1", {line: (0, 0)})) for line in lines]
    assert sum(reversals) == given_points
    assert min(reversals) >= 0
    assert all(not any(known.measures) for known in member.participant.sums.values())
