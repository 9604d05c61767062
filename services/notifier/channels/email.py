"""Mail by SMTP: composed with both text and HTML, sent over a few connections that are kept open.

Source: RFC 5321 (reply codes), RFC 5322 (Message-ID), RFC 3834 (Auto-Submitted), RFC 8058 (one-click unsubscribe).
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import Final
from uuid import UUID

import aiosmtplib

from services.notifier.contact import Contact
from services.notifier.domain.delivery import Attempt, Away, Deferred, Rejected, Sent
from services.notifier.rendering import Rendered
from services.notifier.settings import NotifierSettings

_PERMANENT: Final = 500
_NAME_MAX: Final = 200
_UNAVAILABLE: Final = 421
_REFUSED_HERE: Final = frozenset({530, 534, 535, 538})
"""Replies about us, not about the message: authentication required, or failed."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to send. The same `message_id` on every attempt lets a mail system tell a repetition.

    `unsubscribe` is the address that ends such mail with one click; empty: this mail was asked for.
    """

    message_id: str
    contact: Contact
    sender_name: str
    rendered: Rendered
    at: datetime
    unsubscribe: str = ""


def message_id(delivery_id: UUID, shard: int, sender: str) -> str:
    """The Message-ID of a delivery, from which a bounce finds it again."""
    return f"<{delivery_id}.{shard}@{sender.rpartition('@')[2]}>"


def place_of(identifier: str) -> tuple[int, UUID] | None:
    """Shard and delivery of a Message-ID that `message_id` made; None for any other."""
    own = identifier.strip().removeprefix("<").partition("@")[0]
    delivery, _, shard = own.partition(".")
    try:
        return int(shard), UUID(delivery)
    except ValueError:
        return None


def compose(mail: Mail, sender: str, reply_to: str = "") -> EmailMessage:
    """The mail as RFC 5322 has it. Control characters in names are left out, so no name adds a header."""
    message = EmailMessage(SMTP_POLICY)
    message["From"] = Address(_plain(mail.sender_name), addr_spec=sender)
    message["To"] = Address(_plain(mail.contact.name), addr_spec=mail.contact.email)
    message["Subject"] = _plain(mail.rendered.subject)
    message["Date"] = format_datetime(mail.at)
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    if mail.unsubscribe:
        message["List-Unsubscribe"] = f"<{mail.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if reply_to:
        message["Reply-To"] = reply_to
    message.set_content(mail.rendered.text, cte="quoted-printable")
    message.add_alternative(mail.rendered.html, subtype="html", cte="quoted-printable")
    return message


def _plain(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)[:_NAME_MAX].strip()


class EmailChannel:
    """Sends mail over at most `smtp_connections` connections, opened when needed and kept."""

    def __init__(self, settings: NotifierSettings) -> None:
        self._settings = settings
        self._idle: asyncio.LifoQueue[aiosmtplib.SMTP] = asyncio.LifoQueue()
        for _ in range(settings.smtp_connections):
            self._idle.put_nowait(self._client())

    async def send(self, mail: Mail) -> Attempt:
        """Try to send; never raises for what a mail system or the network does."""
        client = await self._idle.get()
        try:
            message = compose(mail, self._settings.mail_from, self._settings.mail_reply_to)
            return await self._try(client, message)
        finally:
            self._idle.put_nowait(client)

    async def close(self) -> None:
        """Say goodbye on the connections that are open and idle."""
        while not self._idle.empty():
            client = self._idle.get_nowait()
            if client.is_connected:
                await _quit(client)

    async def _try(self, client: aiosmtplib.SMTP, message: EmailMessage) -> Attempt:
        kept = client.is_connected
        try:
            if not kept:
                await client.connect()
            await client.send_message(message)
        except aiosmtplib.SMTPServerDisconnected:
            client.close()
            # An idle connection may have been closed by the other side meanwhile: one fresh try decides.
            return await self._try(client, message) if kept else Away("disconnected")
        except (aiosmtplib.SMTPException, OSError) as error:
            attempt = attempt_of(error)
            if isinstance(attempt, Away):
                client.close()
            return attempt
        return Sent()

    def _client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        return aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username or None,
            password=settings.smtp_password or None,
            timeout=settings.smtp_timeout_s,
            use_tls=settings.smtp_security == "tls",
            start_tls=settings.smtp_security == "starttls",
        )


async def _quit(client: aiosmtplib.SMTP) -> None:
    try:
        await client.quit()
    except (aiosmtplib.SMTPException, OSError):
        client.close()


def attempt_of(error: Exception) -> Attempt:
    """What an error of the SMTP client says about the attempt."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return _by_code(error.recipients[0].code)
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return Rejected("not_supported")
    if isinstance(error, aiosmtplib.SMTPResponseException) and not isinstance(
        error, aiosmtplib.SMTPConnectResponseError | aiosmtplib.SMTPHeloError | aiosmtplib.SMTPSenderRefused
    ):
        return _by_code(error.code)
    return Away(_away_reason(error))


def _by_code(code: int) -> Attempt:
    if code == _UNAVAILABLE or code in _REFUSED_HERE:
        return Away(str(code))
    return Rejected(str(code)) if code >= _PERMANENT else Deferred(str(code))


def _away_reason(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return str(error.code)
    return "timeout" if isinstance(error, TimeoutError) else "unreachable"
