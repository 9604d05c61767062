"""What counts for tiers: line amounts after discounts, less excluded lines and what was paid with points."""

from fractions import Fraction

from services.rules.domain.gifts import CountedLines
from services.rules.domain.outcome import Award
from services.rules.domain.programme import Tiers
from services.rules.domain.rounding import rounded_fraction


def spend_of(counted: CountedLines) -> int:
    """Qualifying spend of the lines that may earn, in ten-thousandths, whatever the programme's earning base."""
    whole = sum(line.amount + line.points_paid for _, line in counted.lines)
    points = counted.payment.points
    if points is None:
        return whole
    return rounded_fraction(whole - sum((points[index] for index, _ in counted.lines), Fraction(0)), "half_up")


def qualifying_of(tiers: Tiers | None, spend: int, awards: tuple[Award, ...], *, bought: bool) -> int:
    """The figure that the programme's tiers are decided by."""
    if tiers is None or tiers.by == "spend":
        return spend
    if tiers.by == "visits":
        return int(bought)
    return sum(award.points for award in awards if award.currency == tiers.currency)
