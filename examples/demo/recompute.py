"""What every household must have: recomputed from the raw baskets in polars, sharing no code with the services.

The terms below are those of `examples/programmes/demo-year.yaml`, written a second time by hand on purpose. Points are
integers in hundredths of a point, money in cents; one point is worth one zloty.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from examples.demo.dataset import Year

ZONE: Final = "Europe/Warsaw"
EXCLUDED: Final = ("FUEL",)
DOUBLED: Final = ("PRODUCE",)
LEVELS: Final = (("bronze", 100_00, 5), ("silver", 500_00, 10), ("gold", 1000_00, 15))
PENDING_FOR: Final = "14d"
VALID_FOR: Final = "6mo"
_SHORTEST_WINDOW: Final = timedelta(days=365)


@dataclass(slots=True)
class Lot:
    """One award as it should stand: where its points are now."""

    purchase_id: str
    earned_at: datetime
    activates_at: datetime
    expires_at: datetime
    points: int
    left: int
    reversed: int = 0

    def state_at(self, instant: datetime) -> str:
        """`pending`, `available` or `expired`."""
        if self.expires_at <= instant:
            return "expired"
        return "pending" if self.activates_at > instant else "available"


@dataclass(slots=True)
class Household:
    """What one household should have: its lots in the order of purchase, what it spent in shops and in points."""

    household_id: int
    spend: int
    lots: list[Lot]
    redeemed: int = 0
    unrecovered: int = 0
    expired_by_lot: dict[str, int] = field(default_factory=dict)

    @property
    def tier(self) -> str | None:
        """The level of what was spent, in cents: within the year nothing ends but by a return, which is judged anew."""
        return _level(self.spend)

    def redeem(self, points: int, at: datetime) -> None:
        """Spend soonest-expiring lots first, then the oldest; `points` are known to have been covered."""
        rest = points
        for lot in sorted(self.lots, key=lambda lot: lot.expires_at):
            if lot.state_at(at) == "available" and rest:
                taken = min(rest, lot.left)
                lot.left -= taken
                rest -= taken
        if rest:
            raise ValueError(f"household {self.household_id}: {rest} of {points} redeemed at {at} were not covered")
        self.redeemed += points

    def take_back(self, purchase_id: str, points: int, spend: int, at: datetime) -> None:
        """Reverse an award: its own lot first, what of it expired counts as taken, then others, down to zero.

        `spend` is what the returned lines no longer count for the level.
        """
        self.spend -= spend
        own = next((lot for lot in self.lots if lot.purchase_id == purchase_id), None)
        if own is None or points == 0:
            return
        rest = points
        if own.state_at(at) == "expired":
            rest -= min(rest, own.left)
        for lot in [own, *sorted(self.lots, key=lambda lot: lot.expires_at)]:
            if lot.state_at(at) == "available" or (lot is own and lot.state_at(at) == "pending"):
                taken = min(rest, lot.left)
                lot.left -= taken
                lot.reversed += taken
                rest -= taken
        self.unrecovered += rest

    def balance_at(self, instant: datetime) -> dict[str, int]:
        """Every figure of the balance, in hundredths of a point."""
        figures = {"pending": 0, "available": 0, "expired": 0}
        for lot in self.lots:
            figures[lot.state_at(instant)] += lot.left
        return figures | {
            "issued": sum(lot.points for lot in self.lots),
            "redeemed": self.redeemed,
            "reversed": sum(lot.reversed for lot in self.lots),
        }


def households(year: Year) -> dict[int, Household]:
    """Every household after all purchases, before any redemption or return."""
    awards = award_table(year)
    found: dict[int, Household] = {}
    last_tier = awards.group_by("household_id").agg(pl.col("spend_after").last())
    for household_id, spend in last_tier.iter_rows():
        found[household_id] = Household(household_id, spend, [])
    earning = awards.filter(pl.col("points") > 0)
    columns = ("household_id", "purchase_id", "at", "activates_at", "expires_at", "points")
    for household_id, purchase_id, at, activates_at, expires_at, points in earning.select(columns).iter_rows():
        found[household_id].lots.append(Lot(purchase_id, at, activates_at, expires_at, points, points))
    return found


def award_table(year: Year) -> pl.DataFrame:
    """One row a basket, in order of time: points, dates, and the household's qualifying spend before and after it."""
    if year.ends_at - year.starts_at >= _SHORTEST_WINDOW:
        raise ValueError("the year is longer than the tier window: a cumulative sum no longer stands for the window")
    baskets = year.baskets.join(_bases(year.lines), on="basket_id", how="left", maintain_order="left")
    spend_after = pl.col("base").cum_sum().over("household_id")
    return (
        baskets.with_columns(spend_after=spend_after)
        .with_columns(percent=_percent(pl.col("spend_after") - pl.col("base")))
        .with_columns(points=_half_up(pl.col("percent") * (pl.col("base") + pl.col("doubled"))))
        .with_columns(activates_at=_later(PENDING_FOR), expires_at=_end_of_month(VALID_FOR))
    )


def spend_of(year: Year, purchase_id: str, lines: list[int]) -> int:
    """What some lines of a basket count for the level, in cents."""
    return sum(
        cents
        for line, category, cents in _lines_of(year, purchase_id).select("line", "category", "cents").iter_rows()
        if line in lines and category not in EXCLUDED
    )


def points_left(year: Year, purchase_id: str, kept_lines: list[int], percent: int) -> int:
    """What the basket would have earned with only `kept_lines`."""
    lines = _lines_of(year, purchase_id).filter(pl.col("line").is_in(kept_lines))
    if lines.is_empty():
        return 0
    base, doubled = _bases(lines).select("base", "doubled").row(0)
    return int(percent * (base + doubled) + 50) // 100


def _lines_of(year: Year, purchase_id: str) -> pl.DataFrame:
    basket = year.baskets.row(by_predicate=pl.col("purchase_id") == purchase_id, named=True)
    return year.lines.slice(basket["first"], basket["size"])


def _bases(lines: pl.DataFrame) -> pl.DataFrame:
    eligible = ~pl.col("category").is_in(EXCLUDED)
    return lines.group_by("basket_id").agg(
        base=pl.col("cents").filter(eligible).sum(),
        doubled=pl.col("cents").filter(eligible & pl.col("category").is_in(DOUBLED)).sum(),
    )


def _percent(spend_before: pl.Expr) -> pl.Expr:
    percent = pl.lit(0)
    for _, least, share in LEVELS:
        percent = pl.when(spend_before >= least).then(share).otherwise(percent)
    return percent


def _level(spend: int) -> str | None:
    reached = [tier for tier, least, _ in LEVELS if spend >= least]
    return reached[-1] if reached else None


def _half_up(hundredths: pl.Expr) -> pl.Expr:
    """A percentage of cents is in hundredths of a cent-worth point; halves go up."""
    return (hundredths + 50) // 100


def _later(offset: str) -> pl.Expr:
    """The same local time of day `offset` later; a time that the spring change skips moves on by the hour it skips."""
    return _local_to_utc(_local().dt.offset_by(offset))


def _end_of_month(offset: str) -> pl.Expr:
    """The end of the month in which `offset` ends: the first midnight of the month after it, by local time."""
    return _local_to_utc(_local().dt.offset_by(offset).dt.truncate("1mo").dt.offset_by("1mo"))


def _local() -> pl.Expr:
    return pl.col("at").dt.convert_time_zone(ZONE).dt.replace_time_zone(None)


def _local_to_utc(local: pl.Expr) -> pl.Expr:
    skipped = (local + timedelta(hours=1)).dt.replace_time_zone(ZONE, ambiguous="earliest", non_existent="null")
    zoned = local.dt.replace_time_zone(ZONE, ambiguous="earliest", non_existent="null").fill_null(skipped)
    return zoned.dt.convert_time_zone("UTC")
