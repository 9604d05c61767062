"""A mail system that keeps what it is sent: for the demo and the tests, in process, on a loopback port."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as DEFAULT_POLICY  # noqa: N812 - a constant, whatever the library calls it

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local import ports

ACCEPTED = "250 OK"
MESSAGES_MAX = 10_000
WAIT_STEP_S = 0.02


@dataclass(slots=True)
class MailSink:
    """What was received, oldest first, at most `MESSAGES_MAX`; `replies`: what an address is answered with instead."""

    messages: list[EmailMessage] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)
    port: int = 0
    count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    async def handle_RCPT(  # noqa: N802 - the name and the arguments are aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        """Accept a recipient, or answer as told."""
        del server, session, rcpt_options
        reply = self.replies.get(address, ACCEPTED)
        if reply == ACCEPTED:
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Keep a message."""
        del server, session
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        message = message_from_bytes(content, policy=DEFAULT_POLICY)
        with self._lock:
            self.count += 1
            if len(self.messages) < MESSAGES_MAX:
                self.messages.append(message)
        return ACCEPTED

    def wait_for(self, enough: Callable[[list[EmailMessage]], bool], timeout_s: float = 30) -> bool:
        """Wait until `enough` says so of what was received; False when the time is over. Blocks its thread."""
        end = time.monotonic() + timeout_s
        while not enough(self.received()):
            if time.monotonic() > end:
                return False
            time.sleep(WAIT_STEP_S)
        return True

    def received(self) -> list[EmailMessage]:
        """What was received so far, oldest first."""
        with self._lock:
            return list(self.messages)


@contextmanager
def mail_sink(port: int | None = None) -> Iterator[MailSink]:
    """A running sink, in a thread of its own, on `port` or a free one."""
    sink = MailSink(port=ports.pick(port))
    controller = Controller(sink, hostname=ports.LOOPBACK, port=sink.port)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()
