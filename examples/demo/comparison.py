"""Every household as the ledger answers it, held against the recomputation: balances, lots and tiers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from examples.demo.recompute import Household

FIGURES: Final = ("issued", "pending", "available", "redeemed", "expired", "reversed")


@dataclass(frozen=True, slots=True, order=True)
class OpenLot:
    """A lot that still has points: its dates, and what is left of it, in hundredths of a point."""

    earned_at: datetime
    activates_at: datetime
    expires_at: datetime
    left: int


@dataclass(frozen=True, slots=True)
class Answered:
    """One household as the API answers it; figures in hundredths of a point.

    A lot may activate or expire while the answer is on its way: it is right if it was right at one end of the question.
    """

    figures: dict[str, int]
    debt: int
    tier: str | None
    lots: list[OpenLot]
    asked_at: datetime
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that differs."""

    household_id: int
    what: str
    expected: str
    answered: str

    def __str__(self) -> str:
        """One line for a person."""
        return f"household {self.household_id}: {self.what} should be {self.expected}, is {self.answered}"


def compare(expected: dict[int, Household], answered: dict[int, Answered]) -> list[Mismatch]:
    """Everything that differs between the two, household by household; empty when they agree."""
    found: list[Mismatch] = []
    for household_id, household in sorted(expected.items()):
        answer = answered.get(household_id)
        if answer is None:
            found.append(Mismatch(household_id, "account", "there", "missing"))
        else:
            found += _differences(household, answer, answer.asked_at) and _differences(
                household, answer, answer.answered_at
            )
    found += [
        Mismatch(household_id, "account", "absent", "there")
        for household_id in sorted(answered.keys() - expected.keys())
    ]
    return found


def _differences(household: Household, answer: Answered, at: datetime) -> list[Mismatch]:
    figures = household.balance_at(at)
    pairs: list[tuple[str, object, object]] = [(name, figures[name], answer.figures[name]) for name in FIGURES]
    pairs += [("debt", 0, answer.debt), ("tier", household.tier, answer.tier)]
    found = [
        Mismatch(household.household_id, what, str(wanted), str(got)) for what, wanted, got in pairs if wanted != got
    ]
    lots = open_lots(household, at)
    if lots != answer.lots:
        missing = [lot for lot in lots if lot not in answer.lots]
        extra = [lot for lot in answer.lots if lot not in lots]
        found.append(Mismatch(household.household_id, "lots", _some(missing), _some(extra)))
    return found


def open_lots(household: Household, at: datetime) -> list[OpenLot]:
    """The lots that should still have points, the earliest earned first."""
    return sorted(
        OpenLot(lot.earned_at, lot.activates_at, lot.expires_at, lot.left)
        for lot in household.lots
        if lot.left and lot.state_at(at) != "expired"
    )


def _some(lots: list[OpenLot]) -> str:
    shown = lots[:3]
    more = f" and {len(lots) - len(shown)} more" if len(lots) > len(shown) else ""
    return "; ".join(f"{lot.left} of {lot.earned_at} until {lot.expires_at}" for lot in shown) + more
