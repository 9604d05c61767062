"""Shards follow Kafka's own partitioner, so that a partition is a shard whoever publishes."""

import pytest
from aiokafka.partitioner import murmur2 as reference
from hypothesis import given
from hypothesis import strategies as st

from contracts.shards import SHARDS, murmur2, shard_of

# Apache Kafka, clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java, testMurmur2.
KAFKA_VECTORS = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("data", "signed"), KAFKA_VECTORS.items())
def test_murmur2_is_the_one_of_kafka(data: bytes, signed: int) -> None:
    """The vectors of Kafka's own tests, which are signed 32-bit integers."""
    assert murmur2(data) == signed & 0xFFFFFFFF


@given(st.binary(max_size=70))
def test_murmur2_agrees_with_the_client_that_publishes(data: bytes) -> None:
    """The relay's producer and the tills' put a key into the same partition."""
    assert murmur2(data) & 0x7FFFFFFF == reference(data) & 0x7FFFFFFF


@given(st.text(max_size=40))
def test_a_key_has_one_of_the_shards(key: str) -> None:
    """Any text has a shard: Polish and Russian too."""
    assert shard_of(key) == (reference(key.encode()) & 0x7FFFFFFF) % SHARDS
