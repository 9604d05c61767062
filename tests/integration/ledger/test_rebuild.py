"""State and projections made anew from the log: what somebody spoiled is put right while tills go on writing."""

import asyncio
from typing import Any

import asyncpg
import pytest

from contracts.shards import SHARDS
from services.ledger.rebuild.run import rebuild_shards
from services.ledger.rebuild.shard import Rebuilt, Wish
from services.ledger.verify.plan import Limits, Plan
from services.ledger.verify.run import verify_shards
from tests.integration.ledger.conftest import NOW, Api, Books, Member, accrual, days, reversal

WISH = Wish(Limits(), step_rows=7)
TABLES = ("account", "balance", "lot", "hold", "redemption", "transit", "entry", "daily_total", "movement")

SPOILED = {
    "account": "update account set tier = 'gold', version = version + 1, due_at = null",
    "balance": "update balance set available = available + 1, issued = issued + 1",
    "balance gone": "delete from balance",
    "lot": "update lot set expires_at = now(), available = 0, withdrawn = withdrawn + available",
    "lot gone": "delete from lot",
    "hold": "update hold set state = 'released'",
    "redemption": "delete from redemption",
    "transit": (
        "insert into transit select shard, account_id, gen_random_uuid(), account_id, 'points', '{}', '{}', '' "
        "from account"
    ),
    "entry": 'update entry set available = 5, why = \'{"reason":"other"}\'',
    "entry gone": "delete from entry",
    "entry more": (
        "insert into entry select shard, account_id, known_at, version + 1000, currency, position, type, "
        "effective_at, recorded_at, scale, issued, adjusted, transferred_in, transferred_out, pending, available, "
        "held, in_transit, redeemed, expired, reversed, debt, pending_after, available_after, held_after, "
        "transit_after, debt_after, why from entry"
    ),
    "daily_total": "update daily_total set points = points + 1 where source = 'issued'",
    "daily_total gone": "delete from daily_total",
    "daily_total more": "update daily_total set expires_in = expires_in || '-31'",
    "movement": "update movement set verdict = 'applied', code = null where verdict = 'refused'",
}


async def rebuilt(database: str, wish: Wish = WISH) -> Rebuilt:
    """Rebuild every shard."""
    return await rebuild_shards(database, range(SHARDS), wish)


async def rows_of(superuser: asyncpg.Connection) -> dict[str, list[Any]]:
    """Everything that can be rebuilt."""
    return {table: await superuser.fetch(f"select t::text from {table} t order by t::text") for table in TABLES}  # noqa: S608 - the test's own names


async def test_books_that_are_right_are_left_alone(
    filled: Member, database: str, superuser: asyncpg.Connection
) -> None:
    """Nothing differs, so nothing is written and no shard is held; in parts as well as in one."""
    assert filled
    before = await rows_of(superuser)
    for limits in (Limits(), Limits(lots_at_once=1, rows_at_once=3)):
        done = await rebuilt(database, Wish(limits, step_rows=7))
        assert (done.wrong, done.steps, done.not_replayable) == ({}, 0, [])
    assert await rows_of(superuser) == before


@pytest.mark.parametrize("what", SPOILED)
async def test_what_was_spoiled_is_made_anew(
    filled: Member, database: str, superuser: asyncpg.Connection, what: str
) -> None:
    """Each table, altered, emptied or with rows too many, is row by row as it was; a dry run writes nothing."""
    assert filled
    before = await rows_of(superuser)
    done = await superuser.execute(SPOILED[what])
    assert not done.endswith(" 0"), "the case changes nothing"
    spoiled = await rows_of(superuser)
    dry = await rebuilt(database, Wish(Limits(), step_rows=7, dry=True))
    assert await rows_of(superuser) == spoiled
    wet = await rebuilt(database)
    assert (set(dry.wrong), wet.wrong) == ({what.split(maxsplit=1)[0]}, dry.wrong)
    after = await rows_of(superuser)
    # What a caller was answered is in the log as far as its refusal goes: that comes back word for word too.
    assert after == before
    assert (await verify_shards(database, range(SHARDS), Plan())).differences == []


async def test_verdicts_are_known_again(
    filled: Member, books: Books, database: str, superuser: asyncpg.Connection
) -> None:
    """Without its record a command would be taken twice: the log says that it was decided, and how."""
    kinds = await books.kinds(filled)
    await superuser.execute("delete from movement where type in ('bonus.points.accrue.v1', 'bonus.points.reverse.v1')")
    assert (await rebuilt(database)).wrong.keys() == {"movement"}
    verdicts = await books.take(accrual(filled, "p2", 50_00, activates_at=NOW + days(14)), reversal(filled, "p1", 5_00))
    assert ([each.kind for each in verdicts], await books.kinds(filled)) == (["duplicate", "duplicate"], kinds)


async def test_writing_goes_on_meanwhile(  # noqa: PLR0913, PLR0917 - fixtures
    filled: Member, books: Books, api: Api, database: str, superuser: asyncpg.Connection, member: Member
) -> None:
    """While all is rebuilt, awards, redemptions and reads of the same accounts go on; in the end all is right."""
    others = [Member() for _ in range(20)]
    await books.take(*[accrual(other, f"start {other.account}", 500_00) for other in others])
    await superuser.execute("update redemption set claimed_by = gen_random_uuid()")
    for what in ("entry gone", "daily_total"):
        await superuser.execute(SPOILED[what])
    ended = asyncio.Event()
    written: list[int] = []
    slowest_s: list[float] = []

    async def write() -> None:
        number = 0
        while not ended.is_set() or number < 30:
            number += 1
            some = others[number % len(others)]
            await books.take(accrual(some, f"meanwhile {number}", 1_00), accrual(filled, f"meanwhile {number}", 2_00))
            answer = await api.redeem(some, "0.50")
            written.append(answer.status_code)

    async def read() -> None:
        loop = asyncio.get_running_loop()
        while not ended.is_set():
            started = loop.time()
            answer = await api.get(f"/accounts/{member.account}/statement")
            slowest_s.append(loop.time() - started)
            assert answer.status_code == 200
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(write()), asyncio.create_task(read())]
    done = await rebuilt(database)
    ended.set()
    await asyncio.gather(*tasks)
    assert set(written) == {200} or set(written) == {201}
    assert {"entry", "daily_total", "redemption"} <= done.wrong.keys()
    assert (done.not_replayable, done.held_ms < 1_000, max(slowest_s) < 1) == ([], True, True)
    assert (await verify_shards(database, range(SHARDS), Plan())).differences == []


async def test_an_account_that_the_log_cannot_make_is_left_alone(
    filled: Member, database: str, superuser: asyncpg.Connection
) -> None:
    """Where the log itself was altered, nothing is written over: it is named."""
    for table in ("event", "event_first"):
        await superuser.execute(f"alter table {table} disable trigger all")
    await superuser.execute(
        "update event set body = convert_to(replace(convert_from(body, 'utf8'), 'available', 'wherever'), 'utf8') "
        "where shard = $1 and type = 'bonus.points.redeemed.v1'",
        filled.shard,
    )
    before = await rows_of(superuser)
    done = await rebuilt(database)
    assert ([each.key for each in done.not_replayable], await rows_of(superuser)) == ([str(filled.account)], before)
