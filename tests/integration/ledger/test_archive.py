"""Old partitions put away: nothing of the proof is lost, and what can be answered without them is answered."""

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from contracts.shards import SHARDS
from services.ledger.archive.partitions import extend, partitions
from services.ledger.command import app
from tests.integration.ledger.conftest import NOW, POINTS, PROGRAMME, Api, Books, Member, accrual, days
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


async def put_away(
    books: Books, superuser: asyncpg.Connection, bonus: Bonus, archive: Path, accruals: int = 5
) -> dict[int, Member]:
    """Fill the first partition of every shard and two positions more, and archive it."""
    members = await fill(books, accruals)
    books.clock.now += timedelta(days=2)
    await books.take(*[accrual(each, f"later {number}", 2_00) for each in members.values() for number in range(4)])
    await publish(superuser)
    assert (await bonus("archive", archive, "--processes", "1")).exit_code == 0
    return members


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


@pytest.mark.usefixtures("small")
async def test_only_what_needs_archived_events_is_gone(
    books: Books, api: Api, superuser: asyncpg.Connection, bonus: Bonus, tmp_path: Path
) -> None:
    """Single events and reports that cut a day of theirs answer 410; all else is answered as before."""
    members = await put_away(books, superuser, bonus, tmp_path / "one")
    member = members[7]
    await books.take(accrual(newcomer := Member(), "first", 3_00, at=books.clock.now))
    path, finance = f"/accounts/{member.account}", f"/programmes/{PROGRAMME}"
    # Five of 1.00 and four of 2.00 in each shard, all of them of noon; one of 3.00 two days later.
    total = f"{SHARDS * 13}.00"
    asked = {
        f"{path}/events": (410, "events_archived"),
        f"/accounts/{newcomer.account}/events": (200, None),
        path: (200, None),
        f"{path}?as_of={_query(NOW)}&known_at={_query(NOW)}": (200, None),
        f"{finance}/liability": (200, None),
        f"{finance}/liability?as_of={NOW.date()}": (200, None),
        f"{finance}/liability?as_of={_query(NOW + timedelta(hours=1))}": (410, "period_archived"),
        f"{finance}/movements?from={NOW.date()}&to={NOW.date()}": (200, None),
        f"{finance}/movements?from={_query(NOW)}&to={_query(NOW + timedelta(days=1))}": (410, "period_archived"),
        f"{finance}/movements?from={_query(NOW + timedelta(days=2))}": (200, None),
    }
    answers = {each: await api.get(each) for each in asked}
    found = {each: (answer.status_code, answer.json().get("code")) for each, answer in answers.items()}
    assert found == asked
    assert await api.balance(member) == {"pending": "0.00", "available": "13.00", "held": "0.00", "debt": "0.00"}
    then = answers[f"{path}?as_of={_query(NOW)}&known_at={_query(NOW)}"].json()
    assert then["balances"][POINTS]["available"] == "5.00"
    lines = (await api.get(f"{path}/statement?limit=20")).json()["items"]
    assert [line["after"]["available"] for line in lines[::-1]] == [f"{n}.00" for n in (1, 2, 3, 4, 5, 7, 9, 11, 13)]
    day = answers[f"{finance}/movements?from={NOW.date()}&to={NOW.date()}"].json()["currencies"][POINTS]
    assert (day["opening"], day["issued"], day["closing"]) == ("0.00", total, total)


@pytest.mark.usefixtures("small")
async def test_a_log_that_does_not_prove_itself_is_not_archived(
    books: Books, superuser: asyncpg.Connection, bonus: Bonus, tmp_path: Path
) -> None:
    """One byte altered in the oldest partition: `archive` names it, ends with 1, and leaves everything where it is."""
    await fill(books, 9)
    await publish(superuser)
    await unguarded(superuser)
    await superuser.execute("update event set body = body || ' ' where shard = 7 and position = 3")
    events = await superuser.fetchval("select count(*) from event")
    refused = await bonus("archive", tmp_path / "one", "--processes", "1")
    assert (refused.exit_code, "broken_hash: event position 3 (shard 7)" in refused.stdout) == (1, True)
    assert await superuser.fetchval("select count(*) from event") == events
    assert await superuser.fetchval("select count(*) from archive") == 0
    assert not [each.name for each in (tmp_path / "one").iterdir() if each.suffix == ".json"]
    assert (await bonus("verify", "--since", tmp_path / "one")).exit_code == 2, "what was begun is no archive"


@pytest.mark.usefixtures("small")
async def test_an_archive_that_was_tampered_with_is_no_use(
    books: Books, superuser: asyncpg.Connection, bonus: Bonus, tmp_path: Path
) -> None:
    """Events, state or a statement altered, in the files or in the database: each is told; put back, all is well."""
    one = tmp_path / "one"
    await put_away(books, superuser, bonus, one)
    rebuilt = await bonus("rebuild", "--since", one, "--processes", "1", "--json")
    assert (rebuilt.exit_code, json.loads(rebuilt.stdout)["rows_put_right"]) == (0, {})
    without = await bonus("rebuild", "--processes", "1")
    assert (without.exit_code, "events up to position 7 were archived" in without.stderr) == (2, True)
    told = {
        ("events-07.jsonl.gz", "verify", "--archive"): "events-07.jsonl.gz is not the file that was signed",
        ("state-07.jsonl.gz", "verify", "--since"): "state-07.jsonl.gz is not the file that was signed",
        ("state-07.jsonl.gz", "rebuild", "--since"): "state-07.jsonl.gz is not the file that was signed",
        ("manifest.json", "verify", "--since"): "not what was signed",
        ("manifest.json", "rebuild", "--since"): "not what was signed",
        ("archive.json", "verify", "--archive"): "not what was signed",
    }
    for (name, command, option), words in told.items():
        signed = (one / name).read_bytes()
        (one / name).write_bytes(signed.replace(b'"version":1', b'"version":2', 1) if b"version" in signed else b"")
        refused = await bonus(command, option, one, "--processes", "1")
        assert (refused.exit_code, words in refused.stderr) == (2, True), (name, command, refused.output)
        (one / name).write_bytes(signed)
    assert await bonus.verify("--since", one) == (0, {})
    assert await bonus.verify("--archive", one) == (0, {})
    await superuser.execute("update archive set manifest = replace(manifest, 'position', 'positiom')")
    assert await bonus.verify("--since", one) == (1, {"altered archive": 1})


def _query(instant: datetime) -> str:
    return quote(instant.isoformat())
