"""The books prove themselves: whatever somebody changes behind the service's back is named."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from typer.testing import CliRunner

from contracts.shards import SHARDS
from services.ledger.command import app
from services.ledger.verify.copied import Copied, values_in
from services.ledger.verify.plan import Limits, Plan
from services.ledger.verify.report import Report
from services.ledger.verify.run import verify_shards
from tests.integration.ledger.conftest import Books, Member

Verify = Callable[..., Awaitable[Report]]


@pytest.fixture
def verify(database: str) -> Verify:
    """Verification of every shard of the test's database."""

    async def run(limits: Limits | None = None) -> Report:
        return await verify_shards(database, range(SHARDS), Plan(limits=limits or Limits()))

    return run


async def test_untouched_books_prove_themselves(filled: Member, verify: Verify) -> None:
    """Nothing differs; the report counts what it looked at; in parts as well as in one."""
    assert filled
    report = await verify()
    assert report.differences == []
    assert (report.ok, report.accounts, report.lots) == (True, 6, 8)
    assert (await verify(Limits(lots_at_once=1, rows_at_once=3))).document() == report.document()


ALTERED = {
    "event body": (("update event set body = convert_to(replace(convert_from(body, 'utf8'), '\"points\":10000', "
                   "'\"points\":10001'), 'utf8') where type = 'bonus.points.accrued.v1'"), "broken_hash event"),
    "event hash": ("update event set hash = sha256(hash) where type = 'bonus.tier.changed.v1'", "broken_hash event"),
    "event column": ("update event set type = 'bonus.points.expired.v1' where type = 'bonus.points.activated.v1'",
                     "altered event"),
    "event recorded_at": ("update event set recorded_at = recorded_at + interval '1 second' where position = 3",
                          "altered event"),
    "event deleted": ("delete from event where type = 'bonus.tier.changed.v1'", "gap event"),
    "event inserted": (
        ("insert into event select shard, position + 1, gen_random_uuid(), key, type, recorded_at, traceparent, body, "
        "hash, account_id, version from event "
        "where (shard, position) in (select shard, head from shard where head > 9)"),
        "broken_hash event",
    ),
    "event tail deleted": (
        "delete from event where (shard, position) in (select shard, head from shard where head > 9)", "altered shard",
    ),
    "events swapped": (
        "update event set position = case position when 3 then 4000 else position end where position = 3", "gap event",
    ),
    "shard head": ("update shard set head = head + 1 where head > 9", "altered shard"),
    "shard hash": ("update shard set hash = sha256(hash) where head > 9", "altered shard"),
    "relay": ("update relay_position set position = 1000000 where shard = 5", "beyond_the_log relay_position"),
    "account tier": ("update account set tier = 'gold' where tier = 'silver'", "altered account"),
    "account due_at": ("update account set due_at = null where due_at is not null", "altered account"),
    "account standing": ("update account set standing = null", "altered account"),
    "account version": ("update account set version = version + 1", "altered account"),
    "account deleted": ("delete from account where tier is null", "missing account"),
    "balance": ("update balance set available = available + 1, issued = issued + 1", "altered balance"),
    "balance deleted": ("delete from balance", "missing balance"),
    "balance inserted": (
        ("insert into balance select shard, gen_random_uuid(), currency, scale, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "
        "null, null, null, null, null, '', 0 from balance limit 1"),
        "unexpected balance",
    ),
    "lot buckets": (
        "update lot set available = available - 1, redeemed = redeemed + 1 where available > 0", "altered lot",
    ),
    "lot expiry": ("update lot set expires_at = expires_at + interval '1 day'", "altered lot"),
    "lot deleted": ("delete from lot where pending > 0", "missing lot"),
    "hold": ("update hold set expires_at = expires_at + interval '1 day'", "altered hold"),
    "hold deleted": ("delete from hold", "missing hold"),
    "redemption": (
        "update redemption set restored = array[0] where restored <> array[0]::bigint[]", "altered redemption",
    ),
    "redemption deleted": ("delete from redemption", "missing redemption"),
    "transit inserted": (
        ("insert into transit select shard, account_id, gen_random_uuid(), account_id, 'points', '{}', '{}', '' "
        "from account limit 1"),
        "unexpected transit",
    ),
    "movement verdict": ("update movement set verdict = 'applied', code = null where verdict = 'refused'",
                         "altered movement"),
    "movement code": ("update movement set code = 'other' where verdict = 'refused'", "altered movement"),
    "movement answer": (
        ("update movement set answer = replace(answer::text, '\"available\":\"', '\"available\":\"9')::json "
        "where answer is not null"),
        "altered movement",
    ),
    "movement deleted": ("delete from movement where type = 'bonus.points.redeem.v1'", "missing movement"),
    "movement inserted": (
        ("insert into movement select shard, gen_random_uuid(), account_id, type, 'refused', 'x', null, null, "
        "position, recorded_at from movement limit 1"),
        "unexpected movement",
    ),
    "movement type of an event": (
        "update movement set type = 'bonus.points.accrue.v1' where type = 'bonus.tier.change.v1'", "altered movement",
    ),
    "movement type of a refusal": (
        "update movement set type = 'bonus.hold.place.v1' where verdict = 'refused'", "altered movement",
    ),
    "movement request of a refusal": (
        "update movement set request = replace(request::text, '1000', '1001')::json where verdict = 'refused'",
        "altered movement",
    ),
    "movement request": (
        ("update movement set request = replace(request::text, '\"points\":', '\"points\":1')::json "
         "where type = 'bonus.hold.place.v1'"),
        "altered movement",
    ),
    "movement request without answer": ("update movement set request = '{}' where answer is null", "altered movement"),
    "movement inserted as applied": (
        ("insert into movement select shard, gen_random_uuid(), account_id, type, verdict, null, null, null, "
         "position, recorded_at from movement where type = 'bonus.points.accrue.v1' limit 1"),
        "unexpected movement",
    ),
    "movement inserted with an answer": (
        ("insert into movement select shard, gen_random_uuid(), account_id, type, verdict, null, request, answer, "
         "position, recorded_at from movement where type = 'bonus.hold.capture.v1' limit 1"),
        "unexpected movement",
    ),
    "movement inserted as redirected": (
        ("insert into movement select shard, gen_random_uuid(), account_id, type, 'redirected', null, null, null, "
         "position, recorded_at from movement where type = 'bonus.points.accrue.v1' limit 1"),
        "unexpected movement",
    ),
    "waiting for another": ("update waiting set awaited_id = gen_random_uuid()", "altered waiting"),
    "waiting of another account": ("update waiting set account_id = gen_random_uuid()", "altered waiting"),
    "waiting since": ("update waiting set recorded_at = recorded_at + interval '1 second'", "altered waiting"),
    "waiting message of another": (
        "update waiting set content = replace(content::text, command_id::text, account_id::text)::json",
        "altered waiting",
    ),
    "waiting deleted": ("delete from waiting", "missing waiting"),
    "waiting inserted": (
        ("insert into waiting select shard, gen_random_uuid(), command_id, account_id, '{}', recorded_at "
        "from movement where verdict = 'applied' limit 1"),
        "unexpected waiting",
    ),
    "entry delta": ("update entry set redeemed = redeemed + 1 where redeemed is not null", "altered entry"),
    "entry words": ("update entry set why = '{\"reason\":\"other\"}'", "altered entry"),
    "entry deleted": ("delete from entry where version = 2", "missing entry"),
    "entry inserted": (
        ("insert into entry select shard, account_id, known_at, version + 1000, currency, position, type, "
        "effective_at, recorded_at, scale, issued, adjusted, transferred_in, transferred_out, pending, available, "
        "held, in_transit, redeemed, expired, reversed, debt, pending_after, available_after, held_after, "
        "transit_after, debt_after, why from entry limit 1"),
        "unexpected entry",
    ),
    "total": ("update daily_total set points = points + 1", "altered daily_total"),
    "total deleted": ("delete from daily_total", "missing daily_total"),
    "programme": ("update programme set revision = 7", "altered programme"),
    "programme state": ("update programme set state = '{}'", "unreadable programme"),
}  # fmt: skip


@pytest.mark.parametrize("what", ALTERED)
async def test_every_table_is_guarded_by_the_log(
    filled: Member, verify: Verify, superuser: asyncpg.Connection, what: str
) -> None:
    """One row altered, removed or added in a table, by someone who may do anything: it is named, and exit is 1."""
    assert filled
    statement, named = ALTERED[what]
    for table in ("event", "event_first", "event_rest"):
        await superuser.execute(f"alter table {table} disable trigger all")
    done = await superuser.execute(statement)
    assert not done.endswith(" 0"), "the case changes nothing"
    report = await verify()
    assert named in report.counts, report.differences
    assert not report.ok


UNSEEN = {
    "another message that may lead to the same event": (
        "update movement set type = 'bonus.purchase.redeem.v1' where type = 'bonus.points.redeem.v1' and code is null"
    ),
    "a verdict on a command that may change nothing": (
        "insert into movement select shard, gen_random_uuid(), account_id, type, 'applied', null, null, null, "
        "position, recorded_at from movement where type = 'bonus.tier.change.v1' limit 1"
    ),
    "how much a waiting command is about": (
        "update waiting set content = replace(content::text, '\"points\":500', '\"points\":501')::json"
    ),
    "what nothing came of in a request": (
        "update movement set request = replace(request::text, '{', '{\"other\":1,')::json where verdict = 'applied' "
        "and request is not null"
    ),
}  # fmt: skip
"""Changes that nothing in the log speaks against; docs/proof.md lists them."""


@pytest.mark.parametrize("what", UNSEEN)
async def test_what_the_log_cannot_tell(
    filled: Member, verify: Verify, superuser: asyncpg.Connection, what: str
) -> None:
    """The limits of the proof are known: when one of these is named one day, the documentation is to say so."""
    assert filled
    done = await superuser.execute(UNSEEN[what])
    assert not done.endswith(" 0"), "the case changes nothing"
    assert (await verify()).differences == []


async def test_rows_of_shards_that_do_not_exist_are_named(
    filled: Member, database: str, superuser: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing reads them, so each table is asked for them."""
    monkeypatch.setenv("BONUS_POSTGRES_DSN", database)
    monkeypatch.setenv("BONUS_KAFKA_BOOTSTRAP", "")
    await superuser.execute("update balance set shard = 64 where shard = $1", filled.shard)
    await superuser.execute("insert into relay_position values (-1, 7)")
    done = await asyncio.to_thread(CliRunner().invoke, app, ["verify", "--processes", "1", "--json"])
    counts = json.loads(done.stdout)["counts"]
    assert (done.exit_code, counts["unexpected balance"], counts["unexpected relay_position"]) == (1, 1, 1)


async def test_the_log_refuses_changes(filled: Member, superuser: asyncpg.Connection, books: Books) -> None:
    """The service has no right to change the log; to a superuser the trigger says no."""
    assert filled
    for statement in ("update event set key = ''", "delete from event", "truncate event"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await books.pool.execute(statement)
        for table in ("event", "event_first"):
            with pytest.raises(asyncpg.PostgresError, match="append-only"):
                await superuser.execute(statement.replace("event", table))


async def test_rows_are_copied_out_a_block_at_a_time(superuser: asyncpg.Connection) -> None:
    """However many there are, only a block more than was asked for is held; what is not wanted any more ends."""
    rows = 200_000
    copied = Copied(superuser, "select n, repeat('x', 100), e'a\\tb' from generate_series($1, $2) as n", 1, rows)
    await copied.read(10)
    assert copied.ahead[0] == f"1\t{'x' * 100}\ta\\tb"
    assert values_in(copied.ahead[0], (int, str, str)) == [1, "x" * 100, "a\tb"]
    assert 10 < len(copied.ahead) < rows / 10
    await asyncio.sleep(0.2)
    assert len(copied.ahead) < rows / 10
    await asyncio.wait_for(copied.close(), 5)
    failing = Copied(superuser, "select n, 1 / (n - $2) from generate_series($1, $2) as n", 1, 5)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await failing.read(None)


def test_the_command_says_it_and_exits(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`bonus ledger verify`, with one process and with two, for people and as JSON."""
    monkeypatch.setenv("BONUS_POSTGRES_DSN", database)
    runner = CliRunner()
    plain = runner.invoke(app, ["verify", "--processes", "1"])
    assert (plain.exit_code, "all as the log says" in plain.output) == (0, True)
    as_json = runner.invoke(app, ["verify", "--processes", "2", "--json"])
    assert (as_json.exit_code, '"ok": true' in as_json.output) == (0, True)
