"""Sending enrolments to Kafka, as any other system would."""

from collections.abc import Sequence
from datetime import datetime

import orjson
from aiokafka import AIOKafkaProducer

from contracts.envelope import STRUCTURED_CONTENT_TYPE
from contracts.topics import ACTIVITIES
from services.rules.enrolment.file import Member
from services.runtime.settings import RuntimeSettings

_HEADERS = [("content-type", STRUCTURED_CONTENT_TYPE)]
_AT_ONCE = 1_000


async def send(settings: RuntimeSettings, tenant: str, members: Sequence[Member], sent_at: datetime) -> None:
    """Send them all; each is at Kafka when this returns. Raises Kafka's errors: then it is sent again, whole."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap, enable_idempotence=True, acks="all")
    topic = settings.topic_prefix + ACTIVITIES.name
    async with producer:
        for start in range(0, len(members), _AT_ONCE):
            sending = [
                await producer.send(
                    topic, orjson.dumps(each.event(tenant, sent_at)), key=each.key.encode(), headers=_HEADERS
                )
                for each in members[start : start + _AT_ONCE]
            ]
            for one in sending:
                await one
