"""What follows from an attempt: retried with pauses, given up, bounced; a mail system that is away costs no attempt."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import aiosmtplib
import pytest

from services.notifier.channels.email import attempt_of, message_id, place_of
from services.notifier.domain.delivery import (
    Attempt,
    Away,
    Deferred,
    Rejected,
    Resolution,
    RetryPolicy,
    Sent,
    pause,
    resolve,
)

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
POLICY = RetryPolicy(attempts_max=3, first=timedelta(minutes=1), longest=timedelta(minutes=3))


@pytest.mark.parametrize(
    ("attempt", "number", "resolution"),
    [
        (Sent(), 1, Resolution("sent", 1, NOON)),
        (Rejected("550"), 1, Resolution("bounced", 1, NOON, "550")),
        (Deferred("450"), 1, Resolution("waiting", 1, NOON + timedelta(minutes=1), "450")),
        (Deferred("450"), 2, Resolution("waiting", 2, NOON + timedelta(minutes=2), "450")),
        (Deferred("450"), 3, Resolution("failed", 3, NOON, "450")),
        (Away("unreachable"), 3, Resolution("waiting", 2, NOON + timedelta(minutes=1), "unreachable")),
    ],
)
def test_an_attempt_resolves(attempt: Attempt, number: int, resolution: Resolution) -> None:
    """Each outcome, at the first and at the last attempt."""
    assert resolve(attempt, number, NOON, POLICY) == resolution


def test_pauses_double_up_to_the_longest() -> None:
    """However many attempts: no pause is longer, and none overflows."""
    assert [pause(number, POLICY) for number in (1, 2, 3, 4, 1_000_000)] == [
        timedelta(minutes=minutes) for minutes in (1, 2, 3, 3, 3)
    ]


@pytest.mark.parametrize(
    ("error", "attempt"),
    [
        (aiosmtplib.SMTPRecipientsRefused([aiosmtplib.SMTPRecipientRefused(550, "no", "a@b.pl")]), Rejected("550")),
        (aiosmtplib.SMTPRecipientsRefused([aiosmtplib.SMTPRecipientRefused(451, "no", "a@b.pl")]), Deferred("451")),
        (aiosmtplib.SMTPDataError(554, "spam"), Rejected("554")),
        (aiosmtplib.SMTPDataError(452, "full"), Deferred("452")),
        (aiosmtplib.SMTPDataError(421, "closing"), Away("421")),
        (aiosmtplib.SMTPSenderRefused(550, "who", "b@c.pl"), Away("550")),
        (aiosmtplib.SMTPAuthenticationError(535, "no"), Away("535")),
        (aiosmtplib.SMTPConnectError("refused"), Away("unreachable")),
        (aiosmtplib.SMTPConnectResponseError(554, "go"), Away("554")),
        (aiosmtplib.SMTPReadTimeoutError("slow"), Away("timeout")),
        (aiosmtplib.SMTPNotSupported("utf8"), Rejected("not_supported")),
        (OSError("network"), Away("unreachable")),
    ],
)
def test_a_reply_says_something_about_the_message_or_about_the_mail_system(error: Exception, attempt: Attempt) -> None:
    """Only what the mail system says of this message and its recipient counts against it."""
    assert attempt_of(error) == attempt


def test_a_message_id_leads_back_to_its_delivery() -> None:
    """Also with brackets and blanks around it; what we did not make leads nowhere."""
    delivery = UUID("182462b6-43d7-5e15-9a5d-42211efc3396")
    identifier = message_id(delivery, 17, "bonus@shop.example")
    assert identifier == "<182462b6-43d7-5e15-9a5d-42211efc3396.17@shop.example>"
    assert place_of(identifier) == place_of(f" {identifier[1:-1]} ") == (17, delivery)
    assert [place_of(text) for text in ("", "<a@b>", "<182462b6.1@x>", "<x.y@z>", f"<{delivery}@x>")] == [None] * 5
