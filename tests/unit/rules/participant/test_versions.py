"""Which version judges a purchase: the one in force when it was made, whatever arrives when."""

from services.rules.domain.programme import Cap
from tests.unit.rules.participant.members import earned, fixed, local, member_of, percent, programme_of


def test_E16_the_version_of_the_purchase_time_judges() -> None:
    """5 % until 1 March 00:00, then 10 %: a purchase of 28 February 23:59:59 arriving on 2 March earns 5 %."""
    first = programme_of(percent(5))
    second = programme_of(percent(10), version=2, starts_at=local("2026-03-01 00:00"))
    member = member_of(first, second)
    in_march = member.buys(local("2026-03-02 12:00"), 100.00)
    late = member.buys(local("2026-02-28 23:59:59"), 100.00)
    assert (earned(in_march), in_march.decision.programme_version) == (1000, 2)
    assert (earned(late), late.decision.programme_version) == (500, 1)


def test_a_return_is_priced_by_the_version_that_priced_the_purchase() -> None:
    """A return in March of a February purchase takes back the February rate."""
    member = member_of(
        programme_of(percent(5)), programme_of(percent(10), version=2, starts_at=local("2026-03-01 00:00"))
    )
    member.buys(local("2026-02-28 12:00"), 100.00)
    decided = member.returns(local("2026-03-05 12:00"), "p1", {1: (0, 0)})
    assert [getattr(command, "points", None) for command in decided.commands] == [500]
    assert decided.decision.programme_version == 1


def test_before_the_first_version_nothing_is_earned() -> None:
    """A purchase older than the programme is recorded with its reason."""
    member = member_of(programme_of(percent(5), starts_at=local("2026-03-01 00:00")))
    decided = member.buys(local("2026-02-28 12:00"), 100.00)
    assert (decided.commands, decided.decision.reason) == ((), "no_version_in_force")
    assert earned(member.buys(local("2026-03-01 00:00"), 100.00)) == 500


def test_S1_while_suspended_nothing_is_earned_by_purchase_time() -> None:
    """Suspended 10:00 to 12:00: bought 10:30 earns 0; bought 09:59 and arriving 10:30 earns; bought 12:00 earns."""
    pause = (local("2026-03-01 10:00"), local("2026-03-01 12:00"))
    member = member_of(programme_of(percent(5)), suspensions=(pause,))
    during = member.buys(local("2026-03-01 10:30"), 100.00)
    assert (earned(during), during.decision.reason) == (0, "programme_suspended")
    assert earned(member.buys(local("2026-03-01 09:59"), 100.00)) == 500
    assert earned(member.buys(local("2026-03-01 12:00"), 100.00)) == 500


def test_E12_joining_and_the_first_purchase_pay_once() -> None:
    """Welcome 100 on enrolment, 150 on the first purchase: the second purchase earns nothing of it."""
    member = member_of(programme_of(fixed(100, "welcome", event="enrolment"), fixed(150, "first", once_per="member")))
    assert earned(member.enrolled) == 10000
    assert earned(member.buys(local("2026-03-01 10:00"), 1.00)) == 15000
    assert earned(member.buys(local("2026-03-01 10:00"), 1.00)) == 0


def test_E10b_caps_are_given_in_the_order_of_decisions() -> None:
    """At most 3 accruals a day; three late in the evening come first, the one of 23:50 comes last and earns 0."""
    member = member_of(programme_of(percent(5), caps=(Cap("day", times=3),)))
    times = ("23:55", "23:58", "23:59:59")
    assert [earned(member.buys(local(f"2026-03-01 {time}"), 100.00)) for time in times] == [500, 500, 500]
    last = member.buys(local("2026-03-01 23:50"), 100.00)
    assert earned(last) == 0
    assert earned(member.buys(local("2026-03-02 00:00"), 100.00)) == 500
