"""Whether a member is told, over which channel and in which language."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from contracts.notifications import Channel
from services.notifier.domain.message import Notice

Silence = Literal["no_contact", "channel_refused", "muted", "undeliverable"]
"""Why a member is not told."""

LANGUAGES: Final = ("pl", "ru", "en")


@dataclass(frozen=True, slots=True)
class Recipient:
    """What decides whether a member is told. `undeliverable`: the address was refused for good."""

    has_contact: bool
    language: str | None = None
    email_allowed: bool = True
    muted: frozenset[str] = frozenset()
    undeliverable: bool = False


def channels_for(notice: Notice, recipient: Recipient | None) -> Sequence[Channel] | Silence:
    """The channels over which to tell, or why nothing is told. The order of reasons is that of a person asking."""
    if recipient is None or not recipient.has_contact:
        return "no_contact"
    if recipient.undeliverable:
        return "undeliverable"
    if not recipient.email_allowed:
        return "channel_refused"
    if notice.kind in recipient.muted:
        return "muted"
    return ("email",)


def language_for(recipient: Recipient, default: str) -> str:
    """The language in which a member is told: his own if we speak it. `pl-PL` is `pl`."""
    wanted = (recipient.language or "").partition("-")[0].lower()
    return wanted if wanted in LANGUAGES else default
