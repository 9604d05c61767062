"""Topics: made explicitly, and ready before anyone is told so."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from deploy.local.errors import TopicError

# A thousand partitions take seconds; on a machine that is busy with something else, minutes.
READY_TIMEOUT_S = 300.0
REQUEST_TIMEOUT_MS = 120_000
RETRY_MS = 20


@dataclass(frozen=True, slots=True)
class TopicSpecification:
    """How many partitions a topic gets, its configuration in Kafka's own words, and on how many brokers it lies."""

    partitions: int
    configuration: Mapping[str, str] = field(default_factory=dict)
    replicas: int = 1


async def create_topics(bootstrap: str, topics: Mapping[str, TopicSpecification]) -> list[str]:
    """Make the topics that are not there and wait until every partition of all of them takes messages.

    Gives the names of those made now. Raises `TopicError` with Kafka's reason, also if a topic of that name has
    another number of partitions: its keys would go to other shards.
    """
    if not topics:
        return []
    async with asyncio.timeout(READY_TIMEOUT_S):
        made = await _create(bootstrap, topics)
        await _wait_for_leaders(bootstrap, topics)
    return made


async def delete_topics(bootstrap: str, names: Sequence[str]) -> None:
    """Remove topics; those that are not there are left out. Raises `TopicError`."""
    if not names:
        return
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=REQUEST_TIMEOUT_MS)
    await admin.start()
    try:
        answer = await admin.delete_topics(list(names))
    finally:
        await admin.close()
    for name, code in answer.topic_error_codes:
        error = for_code(code)
        if code != 0 and error is not UnknownTopicOrPartitionError:
            raise TopicError(f"topic {name} cannot be deleted: {error.message}")


async def _create(bootstrap: str, topics: Mapping[str, TopicSpecification]) -> list[str]:
    wanted = [
        NewTopic(name, topic.partitions, topic.replicas, topic_configs=dict(topic.configuration))
        for name, topic in topics.items()
    ]
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=REQUEST_TIMEOUT_MS)
    await admin.start()
    try:
        answer = await admin.create_topics(wanted)
    finally:
        await admin.close()
    made = []
    for name, code, reason in answer.topic_errors:
        error = for_code(code)
        if code == 0:
            made.append(name)
        elif error is not TopicAlreadyExistsError:
            raise TopicError(f"topic {name} cannot be made: {reason or error.message}")
    return made


async def _wait_for_leaders(bootstrap: str, topics: Mapping[str, TopicSpecification]) -> None:
    # Metadata names a partition's leader a moment before the leader serves it. Asking the leader for the partition's
    # first offset is what a producer's first message needs too, and the client repeats it in silence until it answers.
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, request_timeout_ms=REQUEST_TIMEOUT_MS, retry_backoff_ms=RETRY_MS
    )
    await consumer.start()
    try:
        for name, topic in topics.items():
            partitions = [TopicPartition(name, number) for number in range(topic.partitions)]
            await consumer.beginning_offsets(partitions)
            found = consumer.partitions_for_topic(name) or set()
            if len(found) != topic.partitions:
                raise TopicError(f"topic {name} has {len(found)} partitions, not {topic.partitions}")
    finally:
        await consumer.stop()
