"""Pauses between tries: doubled each time up to a limit, and spread, so that many do not come back at once."""

import random
from dataclasses import dataclass

from services.runtime.settings import RuntimeSettings

_EXPONENT_MAX = 30


@dataclass(slots=True)
class Backoff:
    """The pauses of one thing that is tried again and again without end."""

    first_s: float
    max_s: float
    attempts: int = 0

    @classmethod
    def of(cls, settings: RuntimeSettings) -> "Backoff":
        """The pauses that the settings say."""
        return cls(settings.retry_first_ms / 1_000, settings.retry_max_ms / 1_000)

    def next_s(self) -> float:
        """Count one more failure and give the pause after it, in seconds: half of it fixed, half by chance."""
        longest = min(self.max_s, self.first_s * float(1 << min(self.attempts, _EXPONENT_MAX)))
        self.attempts += 1
        return longest * (0.5 + random.random() / 2)  # noqa: S311 - spreads load, guards nothing

    def reset(self) -> None:
        """It worked: begin with the shortest pause again."""
        self.attempts = 0
