"""Old partitions put away: nothing of the proof is lost, and what can be answered without them is answered."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from contracts.shards import SHARDS
from services.ledger.archive.partitions import extend, partitions
from services.ledger.command import app
from tests.integration.ledger.conftest import NOW, Api, Books, Member, accrual, days
from tests.integration.ledger.proof import unguarded

POSITIONS = 8


@pytest.fixture
async def small(superuser: asyncpg.Connection) -> None:
    """A log in partitions of eight positions."""
    for partition in await partitions(superuser):
        await superuser.execute(f"drop table {partition.name}")
    made = await extend(superuser, POSITIONS, 4)
    assert [(each.begin, each.end) for each in made] == [(0, 8), (8, 16), (16, 24), (24, 32)]


class Bonus:
    """The command line, with keys."""

    def __init__(self, database: str, keys: tuple[Path, Path]) -> None:
        self._environment = {
            "BONUS_POSTGRES_DSN": database,
            "BONUS_KAFKA_BOOTSTRAP": "",
            "BONUS_LEDGER_PROOF_PRIVATE_KEY_FILE": str(keys[0]),
            "BONUS_LEDGER_PROOF_PUBLIC_KEY_FILE": str(keys[1]),
            "BONUS_LEDGER_PARTITION_POSITIONS": str(POSITIONS),
        }

    async def __call__(self, *arguments: str | Path) -> Result:
        """Run `bonus ledger …`; it has an event loop of its own."""
        return await asyncio.to_thread(CliRunner().invoke, app, list(map(str, arguments)), env=self._environment)

    async def verify(self, *arguments: str | Path) -> tuple[int, dict[str, int]]:
        """Exit code, and what differs."""
        result = await self("verify", "--processes", "1", "--json", *arguments)
        return result.exit_code, json.loads(result.stdout)["counts"] if result.stdout else {}


@pytest.fixture
def bonus(database: str, keys: tuple[Path, Path]) -> Bonus:
    """Run commands."""
    return Bonus(database, keys)


async def fill(books: Books, accruals: int) -> dict[int, Member]:
    """A member in every shard, each with so many accruals, all of it published."""
    members: dict[int, Member] = {}
    while len(members) < SHARDS:
        member = Member()
        members.setdefault(member.shard, member)
    await books.take(
        *[
            accrual(each, f"p{number}", 1_00, expires_at=NOW + days(300))
            for each in members.values()
            for number in range(accruals)
        ]
    )
    return members


async def publish(superuser: asyncpg.Connection) -> None:
    """As the relay would."""
    await superuser.execute(
        "update relay_position set position = head from shard where shard.shard = relay_position.shard"
    )


@pytest.mark.usefixtures("small")
async def test_an_old_partition_is_put_away_without_losing_proof(
    books: Books, api: Api, superuser: asyncpg.Connection, bonus: Bonus, tmp_path: Path
) -> None:
    """Two archives, one on top of the other: verification goes on from the last, or begins with both."""
    one, two = tmp_path / "one", tmp_path / "two"
    members = await fill(books, 5)
    too_early = await bonus("archive", one, "--processes", "1")
    assert (too_early.exit_code, "not past it are shards 0" in too_early.stderr) == (2, True)
    books.clock.now += timedelta(days=2)
    await books.take(*[accrual(each, f"later {n}", 2_00) for each in members.values() for n in range(5)])
    assert (await bonus("archive", one, "--processes", "1")).exit_code == 2, "not published yet"
    await publish(superuser)
    assert (await bonus("archive", one, "--processes", "1")).exit_code == 0
    await books.take(*[accrual(each, f"last {n}", 2_00) for each in members.values() for n in range(8)])
    await publish(superuser)
    assert (await bonus("archive", two, "--processes", "1")).exit_code == 2, "it must stand on the one before"
    assert (await bonus("archive", two, "--since", one, "--processes", "1")).exit_code == 0
    assert await superuser.fetchval("select min(position) from event") == 16
    assert [(each.begin, each.end) for each in await partitions(superuser)][:3] == [(16, 24), (24, 32), (32, 40)]

    assert await bonus.verify("--since", two) == (0, {})
    assert await bonus.verify("--archive", two, "--archive", one) == (0, {})
    assert (await bonus("verify")).exit_code == 2
    assert (await bonus("verify", "--since", one)).exit_code == 2
    assert (await bonus("rebuild", "--processes", "1")).exit_code == 2
    await superuser.execute("delete from lot")
    assert (await bonus("rebuild", "--processes", "1", "--since", two)).exit_code == 0
    assert await bonus.verify("--since", two) == (0, {})

    await superuser.execute("update archive set until = 14 where until = 15")
    assert (await bonus.verify("--since", two))[0] != 0
    await superuser.execute("update archive set until = 15 where until = 14")
    events = two / "events-07.jsonl.gz"
    events.write_bytes(events.read_bytes()[:-1] + b"!")
    assert (await bonus("verify", "--archive", two, "--archive", one)).exit_code == 2
    assert api


@pytest.mark.usefixtures("small")
async def test_a_log_that_does_not_prove_itself_is_not_archived(
    books: Books, superuser: asyncpg.Connection, bonus: Bonus, tmp_path: Path
) -> None:
    """What was altered stays where it can be looked at; nothing is signed."""
    await fill(books, 9)
    await publish(superuser)
    await unguarded(superuser)
    await superuser.execute("update event set body = body || ' ' where shard = 3 and position = 5")
    refused = await bonus("archive", tmp_path / "one", "--processes", "1")
    assert (refused.exit_code, "broken_hash: event position 5 (shard 3)" in refused.stdout) == (1, True)
    assert not (tmp_path / "one" / "manifest.json").exists()
    assert await superuser.fetchval("select min(position) from event") == 1


@pytest.mark.usefixtures("small")
async def test_queries_answer_without_archived_events_or_refuse(
    books: Books, api: Api, superuser: asyncpg.Connection, bonus: Bonus, tmp_path: Path
) -> None:
    """Balances of any time, statements and whole days are as before; events and parts of days that are gone: 410."""
    await books.publish()
    members = await fill(books, 4)
    books.clock.now += timedelta(days=2)
    await books.take(*[accrual(each, f"later {n}", 2_00) for each in members.values() for n in range(6)])
    await publish(superuser)
    path, midnight = f"/accounts/{members[9].account}", "2026-03-06T00:00:00Z"
    asked = [
        f"{path}/statement", f"{path}?as_of={NOW.isoformat().replace('+', '%2B')}", f"{path}/lots",
        f"/programmes/grocer/liability?as_of={midnight}", "/programmes/grocer/breakage",
    ]  # fmt: skip
    before = [(await api.get(each)).json() for each in asked]
    assert (await bonus("archive", tmp_path / "one", "--processes", "1")).exit_code == 0
    assert [(await api.get(each)).json() for each in asked] == before
    events = await api.get(f"{path}/events")
    liability = await api.get("/programmes/grocer/liability?as_of=2026-03-05T18:00:00Z")
    refused = [(each.status_code, each.json()["code"]) for each in (events, liability)]
    assert refused == [(410, "events_archived"), (410, "period_archived")]
