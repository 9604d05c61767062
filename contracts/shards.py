"""Shards: how every service divides its state, and Kafka its topics.

Source: Apache Kafka's default partitioner, `(murmur2(key) & 0x7fffffff) % partitions`
(org.apache.kafka.clients.producer.internals.BuiltInPartitioner, org.apache.kafka.common.utils.Utils#murmur2).
"""

from functools import lru_cache
from typing import Final

SHARDS: Final = 64
"""Logical shards, and partitions of every topic; fixed for the life of a deployment."""

_KEY_CACHE_SIZE: Final = 65_536
_SEED: Final = 0x9747B28C
_MULTIPLIER: Final = 0x5BD1E995
_WORD: Final = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """Kafka's 32-bit MurmurHash2 of `data`, as an unsigned integer."""
    length = len(data)
    digest = _SEED ^ length
    whole = length & ~3
    for offset in range(0, whole, 4):
        word = int.from_bytes(data[offset : offset + 4], "little") * _MULTIPLIER & _WORD
        word = (word ^ (word >> 24)) * _MULTIPLIER & _WORD
        digest = (digest * _MULTIPLIER & _WORD) ^ word
    if whole < length:
        digest = (digest ^ int.from_bytes(data[whole:], "little")) * _MULTIPLIER & _WORD
    digest = (digest ^ (digest >> 13)) * _MULTIPLIER & _WORD
    return digest ^ (digest >> 15)


@lru_cache(maxsize=_KEY_CACHE_SIZE)
def shard_of(key: str) -> int:
    """The shard, 0 to 63, of a message key: an identifier (`card:77…`), an account id, a purchase id."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % SHARDS
