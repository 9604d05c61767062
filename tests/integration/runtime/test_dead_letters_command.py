"""`bonus deadletters` on real Kafka and Postgres, as an operator uses it."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from tempfile import NamedTemporaryFile

import asyncpg
import orjson
import pytest

from contracts.shards import shard_of
from services.runtime.settings import RuntimeSettings
from tests.integration.runtime.conftest import PARTITIONS, Publish, Running, Until
from tests.integration.runtime.tally import ACTIVITIES, Tally, activity, dead_letter_id
from tests.integration.runtime.test_consumer import seen
from tests.integration.runtime.test_process import PROJECT

MEMBER = "770001"
Command = Callable[..., Awaitable[str]]


@pytest.fixture
def command(kafka_settings: RuntimeSettings) -> Command:
    """A function that runs `bonus deadletters …` and gives what it prints."""

    async def run(*arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.command", "deadletters", *arguments,
            cwd=PROJECT, stdout=asyncio.subprocess.PIPE,
            env=os.environ
            | {
                "BONUS_POSTGRES_DSN": kafka_settings.postgres_dsn,
                "BONUS_KAFKA_BOOTSTRAP": kafka_settings.kafka_bootstrap,
                "BONUS_TOPIC_PREFIX": kafka_settings.topic_prefix,
            },
        )  # fmt: skip
        printed, _ = await process.communicate()
        assert process.returncode == 0
        return printed.decode()

    return run


async def test_D6_a_dead_letter_mended_and_replayed(
    running: Running, publish: Publish, command: Command, admin: asyncpg.Connection, until: Until
) -> None:
    """It is applied once, however often it is replayed, and marked as replayed by whom and when."""
    poison = activity(MEMBER, 3, poison=True)
    partition = shard_of(f"card:{MEMBER}") % PARTITIONS
    letter_id = str(dead_letter_id(ACTIVITIES, partition, 0))
    await publish([poison])
    async with running(Tally()):

        async def kept() -> bool:
            return bool(await admin.fetchval("select count(*) = 1 from rules.dead_letter"))

        await until(kept)
        (listed,) = json.loads(await command("list", "--json"))
        assert (listed["dead_letter_id"], listed["service"], listed["code"], listed["state"]) == (
            letter_id, "rules", "processor_failed", "set_aside",
        )  # fmt: skip
        shown = json.loads(await command("show", letter_id, "--json"))
        assert json.loads(shown["body"]) == poison
        poison["data"]["attributes"]["poison"] = False
        mended = orjson.dumps(poison)
        with NamedTemporaryFile() as file:
            file.write(mended)
            file.flush()
            for _ in range(2):
                await command("replay", letter_id, "--body", file.name, "--by", "anna")
        await until(seen(admin, 1))
        offsets = "select sum(next_offset) from rules.consumer_offset"

        async def all_read() -> bool:
            return bool(await admin.fetchval(offsets) == 3)

        await until(all_read)
    assert await admin.fetchval("select count(*) from rules.tally_seen") == 1
    row = await admin.fetchrow("select state, replayed_by, replayed_at, replacement from rules.dead_letter")
    assert (row["state"], row["replayed_by"], row["replacement"]) == ("replayed", "anna", mended)
    assert row["replayed_at"] is not None
    assert json.loads(await command("list", "--json")) == []
    (replayed,) = json.loads(await command("list", "--all", "--json"))
    assert replayed["replayed_by"] == "anna"


async def test_what_a_bad_release_set_aside_is_replayed_by_its_reason(
    running: Running, publish: Publish, command: Command, admin: asyncpg.Connection, until: Until
) -> None:
    """All of a reason go back in the order in which they came, and are taken in by the release that is right."""
    await publish([activity(MEMBER, ordinal, poison=True) for ordinal in range(5)])
    async with running(Tally()):

        async def kept() -> bool:
            return bool(await admin.fetchval("select count(*) = 5 from rules.dead_letter"))

        await until(kept)

    class Mended(Tally):
        """The release that takes everything."""

    async def harmless(_: object, messages: object) -> None:
        for message in messages:  # type: ignore[attr-defined] # messages of activities
            message.event.data.attributes["poison"] = False

    await command("replay", "--code", "processor_failed", "--service", "rules")
    async with running(Mended(before=harmless)):
        await until(seen(admin, 5))
    rows = await admin.fetch("select ordinal from rules.tally_seen order by position")
    assert [row["ordinal"] for row in rows] == list(range(5))
