"""What is known about a member when a purchase is judged, as it stood before that purchase."""

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from typing import Final

from services.rules.domain.programme import Duration
from services.rules.domain.value import value

ONESELF: Final = "self:"
"""In the place of a referrer: the member named oneself. No identifier is written like this."""


@value(frozen=True, slots=True)
class Facts:
    """Facts at the time of the purchase, without it. Money in ten-thousandths.

    `counters` are those that `Evaluation.increments` of earlier decisions added up to, by the same keys; a key left out
    is 0. `segments` are those that were set for the member; the programme's own are found from the facts. `spend_in`
    and `purchases_in` hold one figure for each window that the programme reads (`spend_windows`, `purchase_windows`).
    `referred_by` is `type:value`, or `ONESELF`, which rules read as nobody. `last_purchase_at` none: never
    bought. `suspended`: the programme stood still at the time of the purchase.
    """

    member_id: str = ""
    tier: str | None = None
    segments: frozenset[str] = frozenset()
    card_category: str = ""
    enrolled_at: datetime | None = None
    birthday: date | None = None
    birthday_known_at: datetime | None = None
    referred_by: str = ""
    attributes: Mapping[str, object] = field(default_factory=dict)
    purchases: int = 0
    spend: int = 0
    last_purchase_at: datetime | None = None
    favourite_category: str = ""
    spend_in: Mapping[Duration, int] = field(default_factory=dict)
    purchases_in: Mapping[Duration, int] = field(default_factory=dict)
    counters: Mapping[str, int] = field(default_factory=dict)
    suspended: bool = False
