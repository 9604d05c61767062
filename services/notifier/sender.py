"""Sends what is due: claims it shard by shard, speaks to the mail system outside of any transaction, records the end.

A message that was sent and not recorded (the process died in between) is sent again after its lease, under the same
Message-ID: at least once, and recognisable.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Final

import structlog
from prometheus_client import Counter

from services.notifier.channels.email import EmailChannel, Mail, message_id
from services.notifier.domain.confirmation import CONFIRMATION
from services.notifier.domain.delivery import Attempt, Away, Deferred, Resolution, resolve
from services.notifier.handlers.deliveries import Claim, Deliveries, Delivery
from services.notifier.links import Links, Purpose
from services.notifier.programmes import Programmes
from services.notifier.rendering import RenderingError, render
from services.notifier.settings import NotifierSettings
from services.runtime.backoff import Backoff
from services.runtime.gate import Clock
from services.runtime.postgres import is_world_fault

log = structlog.get_logger(__name__)

DELIVERIES: Final = Counter(
    "bonus_deliveries_total", "Attempts to tell members, by what became of the message.", ["template", "state"]
)


class Sender:
    """One process's sender; several share the work, because each claims what it sends."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a sender stands on
        self,
        deliveries: Deliveries,
        programmes: Programmes,
        channel: EmailChannel,
        links: Links,
        settings: NotifierSettings,
        clock: Clock,
    ) -> None:
        self._deliveries = deliveries
        self._programmes = programmes
        self._channel = channel
        self._links = links
        self._settings = settings
        self._clock = clock
        self._shards = asyncio.Semaphore(settings.send_shards)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Send until `stop`: what is claimed is finished first."""
        backoff = Backoff.of(self._settings)
        try:
            while not self._stopping.is_set():
                try:
                    idle = await self.send_due() == 0
                except Exception as error:
                    if not is_world_fault(error):
                        raise
                    log.warning("sender waits", error=f"{type(error).__name__}: {error}")
                    await self._pause(backoff.next_s())
                    continue
                backoff.reset()
                if idle:
                    await self._pause(self._settings.send_poll_ms / 1_000)
        finally:
            await self._channel.close()

    def stop(self) -> None:
        """Ask the sender to end after what it has claimed."""
        self._stopping.set()

    async def send_due(self) -> int:
        """Send what is due now, a batch of each shard; gives how many were tried. Raises faults of the world."""
        shards = await self._deliveries.due_shards(self._clock())
        counts = await asyncio.gather(*(self._send_shard(shard) for shard in shards))
        return sum(counts)

    async def _send_shard(self, shard: int) -> int:
        async with self._shards:
            if self._stopping.is_set():
                return 0
            settings = self._settings
            claims = await self._deliveries.claim(shard, settings.send_batch, timedelta(seconds=settings.send_lease_s))
            resolved = await asyncio.gather(*(self._send(shard, claim) for claim in claims))
            await self._deliveries.resolve(shard, resolved)
        for delivery, resolution in resolved:
            DELIVERIES.labels(delivery.template, resolution.state).inc()
        return len(claims)

    async def _send(self, shard: int, claim: Claim) -> tuple[Delivery, Resolution]:
        delivery = claim.delivery
        now = self._clock()
        if claim.contact is None:
            return delivery, Resolution("cancelled", delivery.attempts, now, "no_contact")
        if claim.is_late(now):
            return delivery, Resolution("cancelled", delivery.attempts, now, "too_late")
        words = await self._programmes.words(delivery.tenant, delivery.programme)
        links = self._links_for(delivery)
        try:
            rendered = render(delivery.template, delivery.language, claim.facts, words, claim.contact.name, links)
        except (RenderingError, KeyError) as error:
            # Made by another release than this one: a later attempt may meet one that can write it.
            log.warning("message cannot be written", template=delivery.template, error=type(error).__name__)
            return delivery, self._resolved(delivery, Deferred("rendering_failed"))
        settings = self._settings
        identifier = message_id(delivery.delivery_id, shard, settings.mail_from)
        sender = settings.mail_from_name or words.name(delivery.language)
        mail = Mail(identifier, claim.contact, sender, rendered, now, links.get("unsubscribe", ""))
        return delivery, self._resolved(delivery, await self._channel.send(mail))

    def _links_for(self, delivery: Delivery) -> dict[str, str]:
        if delivery.template == CONFIRMATION:
            # Asked for at a till: there is nothing to end.
            return {}
        purposes: tuple[Purpose, ...] = ("page", "unsubscribe")
        return {purpose: self._links.to(purpose, delivery.tenant, delivery.member_id) for purpose in purposes}

    def _resolved(self, delivery: Delivery, attempt: Attempt) -> Resolution:
        if isinstance(attempt, Away):
            log.warning("mail system is away", reason=attempt.reason)
        return resolve(attempt, delivery.attempts, self._clock(), self._settings.retry_policy)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
