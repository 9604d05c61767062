"""Anchors on a topic: whoever keeps Kafka keeps them, and not whoever keeps the database."""

from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.ledger.settings import LedgerSettings

_PARTITIONS: Final = 1
_HEADERS: Final = [("content-type", b"application/json")]


async def publish(settings: LedgerSettings, line: bytes) -> None:
    """Publish a signed statement, and wait until Kafka has it on all replicas. Raises `KafkaError`, `OSError`."""
    topic = settings.topic_prefix + settings.ledger_proof_topic
    await _ensure(settings, topic)
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap,
        acks="all",
        enable_idempotence=True,
        request_timeout_ms=settings.kafka_request_timeout_ms,
    )
    await producer.start()
    try:
        await producer.send_and_wait(topic, line, key=b"anchor", headers=_HEADERS)
    finally:
        await producer.stop()


async def _ensure(settings: LedgerSettings, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        if topic not in await admin.list_topics():
            kept_for_ever = {"retention.ms": "-1", "cleanup.policy": "delete"}
            wanted = NewTopic(topic, _PARTITIONS, settings.ledger_proof_topic_replicas, topic_configs=kept_for_ever)
            await admin.create_topics([wanted])
    finally:
        await admin.close()
