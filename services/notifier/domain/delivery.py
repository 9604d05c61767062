"""What follows from an attempt to send a message."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

State = Literal["waiting", "sending", "sent", "failed", "bounced", "cancelled"]


@dataclass(frozen=True, slots=True)
class Sent:
    """The mail system took it."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """The mail system refused it for now; `code` is its reply, such as `450`."""

    code: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The mail system refused this address or this message for good; `code` is its reply, such as `550`."""

    code: str


@dataclass(frozen=True, slots=True)
class Away:
    """The mail system could not be spoken to: it says nothing about the message, so the attempt does not count."""

    reason: str


Attempt = Sent | Deferred | Rejected | Away


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and when a message is tried: pauses double from `first` to `longest`; Away pauses for `first`."""

    attempts_max: int
    first: timedelta
    longest: timedelta


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a delivery becomes. `attempts` counts those that said something about it; `due_at` is for `waiting`."""

    state: State
    attempts: int
    due_at: datetime
    code: str = ""


def resolve(attempt: Attempt, attempts: int, now: datetime, policy: RetryPolicy) -> Resolution:
    """What a delivery becomes after its attempt number `attempts` (from 1)."""
    match attempt:
        case Sent():
            return Resolution("sent", attempts, now)
        case Rejected(code):
            return Resolution("bounced", attempts, now, code)
        case Away(reason):
            return Resolution("waiting", attempts - 1, now + policy.first, reason)
        case Deferred(code) if attempts >= policy.attempts_max:
            return Resolution("failed", attempts, now, code)
        case Deferred(code):
            return Resolution("waiting", attempts, now + pause(attempts, policy), code)


def pause(attempts: int, policy: RetryPolicy) -> timedelta:
    """How long to wait after attempt number `attempts` (from 1)."""
    doublings = min(attempts - 1, 30)
    return min(policy.first * (1 << doublings), policy.longest)
