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
from tests.integration.ledger.conftest import NOW, Books, Member, accrual, days

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
    books: Books, superuser: asyncpg.Connection, bonus: Bonus, tmp_path: Path
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
