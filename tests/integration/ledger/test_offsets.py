"""What lies between Postgres and Kafka: offsets beyond topics, terms that nobody published, anchors on a topic."""

import json
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from contracts.topics import PROGRAMMES
from services.ledger.proof import anchors, topic
from services.ledger.proof.signatures import checker_of, signer_of
from services.ledger.settings import LedgerSettings
from services.ledger.verify.offsets import compare_offsets
from tests.conftest import MakeTopics
from tests.integration.ledger.conftest import NOW, PROGRAMME, Books, cloud_event


@pytest.fixture
def settings(database: str, kafka_bootstrap: str, topic_namespace: str) -> LedgerSettings:
    """Where both are."""
    return LedgerSettings(postgres_dsn=database, kafka_bootstrap=kafka_bootstrap, topic_prefix=topic_namespace)


async def test_an_offset_beyond_its_log_is_named(
    settings: LedgerSettings, superuser: asyncpg.Connection, kafka_topics: MakeTopics
) -> None:
    """It would pass over messages that are still to come; one at the end, or behind it, is as it should be."""
    name = (await kafka_topics({"some": 2}))["some"]
    for partition, offset in ((0, 0), (1, 4), (7, 0)):
        await superuser.execute(
            "insert into consumer_offset values ('ledger', $1, $2, $3)", name, partition, offset
        )  # fmt: skip
    report = await compare_offsets(settings)
    assert [(each.what, each.table, each.key) for each in report.differences] == [
        ("beyond_the_log", "consumer_offset", f"ledger {name} 1"),
        ("beyond_the_log", "consumer_offset", f"ledger {name} 7"),
    ]


async def test_terms_are_those_that_were_published(
    settings: LedgerSettings, books: Books, superuser: asyncpg.Connection, kafka_topics: MakeTopics
) -> None:
    """The limits that the ledger goes by are compared with the topic that they came from."""
    await kafka_topics({PROGRAMMES.name: 2})
    await books.publish()
    state = json.loads(await superuser.fetchval("select state from programme"))
    event = cloud_event("bonus.programme.published.v1", state)
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap)
    await producer.start()
    key = f"default/{PROGRAMME}".encode()
    await producer.send_and_wait(settings.topic_prefix + PROGRAMMES.name, json.dumps(event).encode(), key=key)
    await producer.stop()
    assert (await compare_offsets(settings)).differences == []
    await superuser.execute("update programme set state = replace(state::text, '1.00', '2.00')::json")
    assert dict((await compare_offsets(settings)).counts) == {"altered programme": 1}
    await superuser.execute("update programme set revision = 9")
    assert dict((await compare_offsets(settings)).counts) == {"unexpected programme": 1}


async def test_an_anchor_on_a_topic_can_be_checked(
    settings: LedgerSettings, superuser: asyncpg.Connection, keys: tuple[Path, Path]
) -> None:
    """The topic is made where it is missing; what is read from it is what was signed."""
    heads = await anchors.read_heads(superuser)
    line = signer_of(keys[0]).sign(anchors.anchor_of(heads, NOW))
    await topic.publish(settings, line)
    place = TopicPartition(settings.topic_prefix + settings.ledger_proof_topic, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([place])
    await consumer.seek_to_beginning(place)
    record = await consumer.getone()
    await consumer.stop()
    assert record.value == line
    assert anchors.anchored_in([record.value], checker_of(keys[1]))[0] == {0: {bytes(32)}}
