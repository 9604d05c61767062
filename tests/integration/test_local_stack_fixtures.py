from collections.abc import Awaitable, Callable, Mapping

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition


async def test_each_test_has_a_database_of_its_own(database: str) -> None:
    """What one test writes is seen by no other: its database starts as a copy of the template."""
    connection = await asyncpg.connect(database)
    try:
        await connection.execute("create table public.mark_of_this_test (id int)")
        assert await connection.fetchval("show fsync") == "on"
    finally:
        await connection.close()


async def test_a_second_test_sees_nothing_of_the_first(database: str) -> None:
    """The same name can be made again, because the database is another."""
    connection = await asyncpg.connect(database)
    try:
        await connection.execute("create table public.mark_of_this_test (id int)")
    finally:
        await connection.close()


async def test_topics_take_messages_as_soon_as_they_are_made(
    kafka_bootstrap: str, kafka_topics: Callable[[Mapping[str, int]], Awaitable[dict[str, str]]]
) -> None:
    """A topic is handed out only when every partition has a leader that serves it."""
    names = await kafka_topics({"purchases": 4})
    producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, enable_idempotence=True)
    await producer.start()
    try:
        sent = [await producer.send_and_wait(names["purchases"], b"x", partition=number) for number in range(4)]
    finally:
        await producer.stop()
    assert [(record.partition, record.offset) for record in sent] == [(number, 0) for number in range(4)]
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(names["purchases"], 3)])
        assert (await consumer.getone()).value == b"x"
    finally:
        await consumer.stop()
