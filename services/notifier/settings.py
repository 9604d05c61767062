"""Settings of the notifier: every limit by name, each with an environment variable `BONUS_…`."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from services.notifier.domain.delivery import RetryPolicy
from services.runtime.settings import RuntimeSettings


class NotifierSettings(RuntimeSettings):
    """How mail is sent, how often it is tried, and what is too old to be told."""

    # What is told
    notify_age_max_s: float | None = Field(
        default=24 * 3600,
        gt=0,
        description="events that count at an earlier time are not told, so that history read in later sends no mail; "
        "empty: everything is told",
    )
    language_default: Literal["pl", "ru", "en"] = Field(
        default="en", description="of members who have not said which they read"
    )
    programme_cache_s: float = Field(default=60, ge=0, description="how long a programme's words are remembered")

    # Mail
    smtp_host: str = Field(default="localhost", description="the mail server that messages are handed to")
    smtp_port: int = Field(default=25, ge=1, le=65_535, description="where it listens")
    smtp_security: Literal["none", "starttls", "tls"] = Field(
        default="none", description="tls: from the first byte; starttls: asked for before anything is sent"
    )
    smtp_username: str = Field(default="", description="empty: the server is not logged in to")
    smtp_password: str = Field(default="", repr=False, description="of that user")
    smtp_timeout_s: float = Field(default=30, gt=0, description="of one command to the mail server")
    smtp_connections: int = Field(default=4, ge=1, description="at once from one process")
    mail_from: str = Field(default="bonus@localhost.localdomain", description="the sender's address")
    mail_from_name: str = Field(default="", description="empty: the name of the programme")
    mail_reply_to: str = Field(default="", description="where answers go; empty: to the sender's address")

    # Links and codes
    public_url: str = Field(
        default="", description="where members reach this API, https://…; empty: mail has no links to their own pages"
    )
    page_messages_max: int = Field(default=20, ge=1, description="of a member's latest messages on his page")
    confirmation_key: str = Field(
        default="", repr=False, description="base64 of an Ed25519 private key; empty: amounts cannot be confirmed"
    )
    confirmation_lifetime_s: int = Field(default=300, ge=1, description="of a code, and of what a right one gives")
    confirmation_attempts_max: int = Field(default=5, ge=1, description="of saying one code")
    confirmation_hour_max: int = Field(default=10, ge=1, description="codes made for one member within an hour")

    # Sending
    send_poll_ms: int = Field(default=500, ge=1, description="how often due mail is looked for")
    send_batch: int = Field(default=50, ge=1, description="mails of one shard claimed at once")
    send_shards: int = Field(default=4, ge=1, description="shards whose mail is sent at the same time")
    send_lease_s: float = Field(default=600, gt=0, description="a sender that is silent for this long is lost")
    send_attempts_max: int = Field(default=8, ge=1, description="after so many a message is given up")
    send_retry_first_s: float = Field(default=60, gt=0, description="first pause; doubled after each attempt")
    send_retry_max_s: float = Field(default=6 * 3600, gt=0, description="longest pause")

    @property
    def notify_age_max(self) -> timedelta | None:
        """The greatest age of what is told."""
        return None if self.notify_age_max_s is None else timedelta(seconds=self.notify_age_max_s)

    @property
    def retry_policy(self) -> RetryPolicy:
        """How often and when a mail is tried again."""
        return RetryPolicy(
            self.send_attempts_max,
            timedelta(seconds=self.send_retry_first_s),
            timedelta(seconds=self.send_retry_max_s),
        )
