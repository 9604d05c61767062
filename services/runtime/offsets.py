"""Offsets in the service's own Postgres: they go back in time together with the records, or not at all."""

from collections.abc import Iterable, Mapping

from aiokafka import TopicPartition

from services.runtime.postgres import SQL, Pool

Offsets = Mapping[TopicPartition, int]


async def load(pool: Pool, group: str, topics: Iterable[str]) -> dict[TopicPartition, int]:
    """The first offset not yet done, by partition; partitions of which nothing was done are missing."""
    rows = await pool.fetch(SQL.load_offsets, group, list(topics))
    return {TopicPartition(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def store(pool: Pool, group: str, offsets: Offsets) -> None:
    """Say what is done. An offset that is behind the stored one changes nothing."""
    await pool.execute(SQL.store_offsets, group, *_columns(offsets))


async def rewind(pool: Pool, group: str, offsets: Offsets) -> None:
    """Go on from other places, back included; to be done while the group's workers stand still."""
    await pool.execute(SQL.rewind_offsets, group, *_columns(offsets))


def _columns(offsets: Offsets) -> tuple[list[str], list[int], list[int]]:
    # In one order always: two workers that store at once wait for each other instead of locking each other out.
    places = sorted(offsets)
    return (
        [place.topic for place in places],
        [place.partition for place in places],
        [offsets[place] for place in places],
    )
