"""A member confirms that an amount may be spent, with a code that was sent to him.

The code is said at the till. A right one confirms once and for all; each wrong one counts, and after too many the code
is worth nothing.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

CODE_DIGITS: Final = 6
CONFIRMATION: Final = "confirmation"
"""The template of the message with the code."""

RefusalCode = Literal["confirmation_expired", "too_many_attempts", "wrong_code"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A code that waits to be said. `attempts` counts those made; `confirmed_at`: when a right one was said."""

    code: str
    attempts: int
    expires_at: datetime
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The code was right; `at` is when it was said first."""

    at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not; `attempts_left` more may be made."""

    code: RefusalCode
    attempts: int
    attempts_left: int


def say(said: str, asked: Asked, now: datetime, attempts_max: int) -> Confirmed | Refused:
    """What a code said at `now` makes of the one asked for. An attempt that comes too late does not count."""
    left = max(0, attempts_max - asked.attempts)
    if now >= asked.expires_at:
        return Refused("confirmation_expired", asked.attempts, left)
    if asked.confirmed_at is None and left == 0:
        return Refused("too_many_attempts", asked.attempts, 0)
    # Compared in constant time: how long a refusal takes tells nothing of the code.
    if not hmac.compare_digest(said.encode(), asked.code.encode()):
        return Refused("wrong_code", asked.attempts + 1, max(0, left - 1))
    return Confirmed(asked.confirmed_at or now, asked.attempts)
