"""What lies between Postgres and Kafka: consumers' places against the topics' ends, and programmes against their topic.

An offset beyond the end of its partition would pass over messages that are still to come.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from contracts.envelope import DEFAULT_TENANT
from contracts.programmes import ProgrammeState
from contracts.topics import PROGRAMMES
from services.ledger.settings import LedgerSettings
from services.ledger.verify import SQL
from services.ledger.verify.reading import connect
from services.ledger.verify.report import Report
from services.ledger.verify.rows import Findings

_NO_SHARD: Final = -1
_POLL_MS: Final = 1_000


async def compare_offsets(settings: LedgerSettings) -> Report:
    """Compare both. Raises `KafkaError`, `OSError`, `asyncpg.PostgresError`."""
    report = Report()
    findings = Findings(report, _NO_SHARD)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        request_timeout_ms=settings.kafka_request_timeout_ms,
    )
    connection = await connect(settings.postgres_dsn)
    try:
        await consumer.start()
        there = await _partitions(settings)
        # Places first: the ends that are asked for afterwards only grow.
        places = await connection.fetch(SQL.offsets)
        programmes = await connection.fetch(SQL.all_programmes)
        await _compare_places(consumer, there, places, findings)
        published = there.get(settings.topic_prefix + PROGRAMMES.name, [])
        await _compare_programmes(consumer, published, programmes, findings)
    finally:
        await consumer.stop()
        await connection.close()
    return report


async def _partitions(settings: LedgerSettings) -> dict[str, list[TopicPartition]]:
    """The partitions that there are, by topic: a consumer knows those of its own topics alone."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        topics = await admin.describe_topics()
    finally:
        await admin.close()
    return {
        each["topic"]: [TopicPartition(each["topic"], partition["partition"]) for partition in each["partitions"]]
        for each in topics
    }


async def _compare_places(
    consumer: AIOKafkaConsumer,
    there: Mapping[str, list[TopicPartition]],
    rows: Iterable[asyncpg.Record],
    findings: Findings,
) -> None:
    by_topic: dict[str, list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        by_topic[row["topic"]].append(row)
    for topic, places in sorted(by_topic.items()):
        ends = await consumer.end_offsets(there[topic]) if topic in there else {}
        for row in places:
            end = ends.get(TopicPartition(topic, row["partition"]))
            if end is None or row["next_offset"] > end:
                key = f"{row['consumer_group']} {topic} {row['partition']}"
                expected = "no such partition" if end is None else f"at most {end}"
                findings.differs("beyond_the_log", "consumer_offset", key, expected, row["next_offset"])


async def _compare_programmes(
    consumer: AIOKafkaConsumer,
    partitions: list[TopicPartition],
    rows: Iterable[asyncpg.Record],
    findings: Findings,
) -> None:
    """Compare the terms that are kept with the newest that were published."""
    kept = {(row["tenant"], row["programme"]): row for row in rows}
    if not kept:
        return
    published = await _published(consumer, partitions)
    for key, row in kept.items():
        revisions, revision, name = published.get(key, {}), row["revision"], "/".join(key)
        if revision > max(revisions, default=0):
            findings.differs("unexpected", "programme", name, f"at most {max(revisions, default=0)}", revision)
        elif orjson.loads(row["state"]) != revisions.get(revision, orjson.loads(row["state"])):
            # A revision that the topic holds no more was followed by another, which is on its way here.
            findings.differs("altered", "programme", name, "the terms that were published", f"others of {revision}")


async def _published(
    consumer: AIOKafkaConsumer, partitions: list[TopicPartition]
) -> Mapping[tuple[str, str], Mapping[int, Any]]:
    """Every revision of every programme that the topic holds, as the table keeps it."""
    found: dict[tuple[str, str], dict[int, Any]] = defaultdict(dict)
    if not partitions:
        return found
    consumer.assign(partitions)
    ends = await consumer.end_offsets(partitions)
    await consumer.seek_to_beginning(*partitions)
    while any([await consumer.position(each) < end for each, end in ends.items()]):
        for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
            for record in records:
                if record.value is not None:
                    content = orjson.loads(record.value)
                    state = ProgrammeState.model_validate(content["data"])
                    place = (content.get("tenant", DEFAULT_TENANT), state.programme)
                    found[place][state.revision] = orjson.loads(state.model_dump_json())
    return found
