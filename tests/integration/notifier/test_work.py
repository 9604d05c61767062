"""`bonus notifier work` as a whole: from Kafka to the mail system and back to Kafka."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from contracts.catalogue import MODELS
from contracts.topics import LEDGER_EVENTS, MEMBER_EVENTS, NOTIFICATIONS, PROGRAMMES
from services.notifier.command import build_work
from services.notifier.contact import Contact
from services.runtime.process import Process

TOPICS = (LEDGER_EVENTS, MEMBER_EVENTS, PROGRAMMES, NOTIFICATIONS)
ACCRUED = "bonus.points.accrued.v1.pending"
MakeTopics = Callable[[Mapping[str, int]], Awaitable[dict[str, str]]]


@asynccontextmanager
async def working(notifier: Any) -> AsyncIterator[None]:
    """A worker, from start to graceful stop."""
    process = Process("notifier-test", notifier.settings)
    async with process.stack:
        parts = await build_work(process, notifier.settings, notifier.masters)
        tasks = [asyncio.create_task(part.run()) for part in parts]
        try:
            yield
        finally:
            for part in parts:
                part.stop()
            await asyncio.wait_for(asyncio.gather(*tasks), 30)


async def publish(notifier: Any, topic: str, *events: dict[str, Any]) -> None:
    """Publish events as the ledger and rules do, keyed by account."""
    producer = AIOKafkaProducer(bootstrap_servers=notifier.settings.kafka_bootstrap)
    await producer.start()
    try:
        for event in events:
            key = event["data"]["account_id"].encode()
            await producer.send_and_wait(notifier.settings.topic_prefix + topic, json.dumps(event).encode(), key=key)
    finally:
        await producer.stop()


async def notifications(notifier: Any, count: int) -> list[dict[str, Any]]:
    """The first events of the notifications topic."""
    consumer = AIOKafkaConsumer(
        notifier.settings.topic_prefix + NOTIFICATIONS.name,
        bootstrap_servers=notifier.settings.kafka_bootstrap,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        async with asyncio.timeout(30):
            return [json.loads((await consumer.getone()).value) for _ in range(count)]
    finally:
        await consumer.stop()


async def test_an_event_becomes_a_mail_and_its_end_is_published(notifier: Any, kafka_topics: MakeTopics) -> None:
    """Also after a restart in between, and with everything published twice: one mail for each event."""
    await kafka_topics({topic.name: 4 for topic in TOPICS})
    notifier.clock.now = datetime.now(UTC)
    members = [uuid4() for _ in range(5)]
    for number, member in enumerate(members):
        await notifier.contacts.put("default", member, Contact(f"member{number}@example.com"))
    events = [notifier.event(ACCRUED, member) for member in members]
    strangers = [notifier.event(ACCRUED, uuid4()) for _ in range(200)]
    history = notifier.event(ACCRUED, members[0])
    history["data"]["effective_at"] = (notifier.clock() - timedelta(days=2)).isoformat()
    async with working(notifier):
        await publish(notifier, LEDGER_EVENTS.name, *strangers, history, *events[:3])
        assert await asyncio.to_thread(notifier.sink.wait_for, lambda received: len(received) >= 3)
    async with working(notifier):
        await publish(notifier, LEDGER_EVENTS.name, *events, *events)
        assert await asyncio.to_thread(notifier.sink.wait_for, lambda received: len(received) >= 5)
        published = await notifications(notifier, 5)
    assert sorted(mail["To"] for mail in notifier.sink.received()) == [
        f"member{number}@example.com" for number in range(5)
    ]
    assert {event["data"]["event_id"] for event in published} == {event["id"] for event in events}
    assert {event["type"] for event in published} == {"bonus.notification.delivered.v1"}
    for event in published:
        MODELS[event["type"]].model_validate(event)


async def test_an_erasure_from_kafka_silences_a_member(notifier: Any, kafka_topics: MakeTopics) -> None:
    """After it, no event of that member is told any more."""
    await kafka_topics({topic.name: 4 for topic in TOPICS})
    notifier.clock.now = datetime.now(UTC)
    erased, other = uuid4(), uuid4()
    for member in (erased, other):
        await notifier.contacts.put("default", member, Contact(f"{member}@example.com"))
    async with working(notifier):
        await publish(notifier, MEMBER_EVENTS.name, notifier.event("bonus.member.erased.v1.on-request", erased))
        async with asyncio.timeout(30):
            # A row that goes is announced by nobody.
            while await notifier.pool.fetchval("select count(*) from recipient") != 1:  # noqa: ASYNC110 - see above
                await asyncio.sleep(0.02)
        await publish(notifier, LEDGER_EVENTS.name, notifier.event(ACCRUED, erased), notifier.event(ACCRUED, other))
        assert await asyncio.to_thread(notifier.sink.wait_for, bool)
    assert [mail["To"] for mail in notifier.sink.received()] == [f"{other}@example.com"]
