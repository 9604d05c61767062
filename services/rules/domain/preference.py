"""What a member prefers: the category on which most was spent, kept as counters that purchases add to.

Only versions whose conditions ask for it count it, in the order of decisions like all counters; of two categories with
the same amount the first in the alphabet is preferred. A return takes nothing from it: what was bought was liked.
"""

from collections.abc import Mapping
from typing import Final

from services.rules.domain.gifts import CountedLines

CATEGORIES_MAX: Final = 64
"""Categories of one account that are counted; what comes later than these is not."""

_KEY: Final = "*:spent:member:"


def favourite_of(counters: Mapping[str, int]) -> str:
    """The category on which most was spent; empty before anything was counted."""
    spent = {key.removeprefix(_KEY): amount for key, amount in counters.items() if key.startswith(_KEY) and amount > 0}
    return min(spent, key=lambda category: (-spent[category], category), default="")


def spent_by_category(counted: CountedLines, counters: Mapping[str, int]) -> dict[str, int]:
    """What a purchase adds: money by category, in ten-thousandths; lines without a category are left out."""
    found: dict[str, int] = {}
    known = sum(key.startswith(_KEY) for key in counters)
    for _, line in counted.lines:
        key = f"{_KEY}{line.category}"
        if not line.category or (key not in counters and key not in found and known + len(found) >= CATEGORIES_MAX):
            continue
        found[key] = found.get(key, 0) + line.amount + line.points_paid
    return {key: amount for key, amount in found.items() if amount > 0}
