"""Rehearsals over HTTP and by the worker: recorded purchases decided again, in processes of their own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import psutil

from services.rules.rehearsal.store import Rehearsals
from services.rules.rehearsal.sweeping import RehearsalSweeper
from services.rules.rehearsal.worker import RehearsalWorker
from services.rules.settings import RulesSettings
from tests.integration.rules.quotes.conftest import KEY, NOW, Shop, account_of, basket, enrolment, purchase

HEAD = """programme: club
zone: Europe/Warsaw
money: PLN
currencies: {points: {scale: 2, worth: 0.50}}
"""
LIVE = HEAD + "earn: [{rule: back, give: 5 %}]\n"
DRAFT = (
    HEAD
    + """
segments: {regular: "member.purchases > 0"}
tiers: {levels: [{tier: silver, from: 100}]}
on_enrolment: 50 points
earn:
  - {rule: back, give: 10 %}
  - {rule: level, give: {silver: 5 %}}
  - {rule: first, give: 7 points, once_per: member}
  - {rule: campaign, give: 40 points, budget: {total: 100 points}}
"""
)
PERIOD = {"from": "2026-01-01T00:00:00Z", "until": "2026-05-01T00:00:00Z"}


@asynccontextmanager
async def working(shop: Shop, **more: Any) -> AsyncIterator[RehearsalWorker]:
    """A worker of rehearsals on the shop's database, for as long as the context lasts."""
    # On a busy machine the least claim may be no claim at all: tests wait like everybody else.
    settings = RulesSettings(
        rehearsal_niceness=0,
        postgres_dsn=shop.dsn,
        master_keys=f"one:{KEY}",
        rehearsal_look_s=0.05,
        retry_first_ms=20,
        rehearsal_processes=1,
        **more,
    )
    worker = RehearsalWorker(shop.pool, settings)
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await running


async def ask(shop: Shop, body: dict[str, Any], key: str = "r1") -> dict[str, Any]:
    """Ask for a rehearsal."""
    path = "/v1/programmes/club/rehearsals"
    response = await shop.api.post(path, json=body, headers={"Idempotency-Key": key})
    assert response.status_code == 202, response.text
    found: dict[str, Any] = response.json()
    assert response.headers["location"] == f"/v1/rehearsals/{found['rehearsal_id']}"
    return found


async def finished(shop: Shop, rehearsal_id: str, timeout_s: float = 120) -> dict[str, Any]:
    """Wait for a rehearsal to end."""
    async with asyncio.timeout(timeout_s):
        while True:
            found: dict[str, Any] = (await shop.api.get(f"/v1/rehearsals/{rehearsal_id}")).json()
            if found["state"] in ("done", "failed"):
                return found
            await asyncio.sleep(0.05)


async def a_past(shop: Shop) -> None:
    """Two members: one who buys in February and March and brings some of it back, one who buys once, in April."""
    await shop.publish(LIVE)
    await shop.send(enrolment("77", at="2025-12-01T12:00:00Z"), enrolment("88", at="2026-02-01T12:00:00Z"))
    await shop.send(
        purchase("before", basket("10.00"), "2025-12-20T12:00:00Z"),
        purchase("p1", basket("60.00", "40.00"), "2026-02-10T12:00:00Z"),
        purchase("p2", basket("20.00"), "2026-03-10T12:00:00Z"),
        purchase("p3", basket("100.00", card="88"), "2026-04-10T12:00:00Z"),
        purchase("after", basket("500.00"), "2026-05-10T12:00:00Z"),
    )
    # The index has been asked already: what is left of each line follows from the return.
    returned = {
        "return_key": "0b0f4e0e-5f5c-5a53-9d0f-6c0f1d4f8a11",
        "purchase_key": str(await shop.pool.fetchval("select cause_key from decision where cause_id = 'p1'")),
        "holder": {
            "account_id": str(account_of(shop)), "programme": "club", "card_category": "",
            "member_id": str(await shop.pool.fetchval("select member_id from decision where cause_id = 'p1'")),
        },
        "returned": {
            "return_id": "r1", "purchase_id": "p1", "programme": "club", "returned_at": "2026-04-01T12:00:00Z",
            "lines": [{"line": 2, "quantity": "1", "amount": "40.00"}],
        },
        "remaining": [{"line": 1, "quantity": "1", "amount": "60.00"}, {"line": 2, "quantity": "0", "amount": "0"}],
    }  # fmt: skip
    await shop.give_back(returned)


async def test_a_draft_is_rehearsed_on_what_was_bought(shop: Shop) -> None:
    """By rule, tier, segment and month, against what was decided live, with budgets kept and the members named."""
    await a_past(shop)
    draft = await shop.publish(DRAFT, starts_at=None)
    asked = await ask(shop, {"version": draft, **PERIOD})
    assert asked["progress"] == {"parts": 64, "parts_done": 0, "decisions": 0}
    page = await shop.api.get(f"/v1/rehearsals/{asked['rehearsal_id']}", headers={"Accept": "text/html"})
    assert "0 / 64 parts done" in " ".join(page.text.split())
    async with working(shop):
        found = await finished(shop, asked["rehearsal_id"])
    assert found["progress"] == {"parts": 64, "parts_done": 64, "decisions": 7}
    report = found["report"]
    # A point is worth half a zloty. Live: 10.00 + 2.00 - 4.00 + 10.00. Rehearsed: see each rule.
    assert report["cost"] == {
        "live": {"points": {"points": "18.00"}, "money": "9.00", "share_of_turnover": 4.091},
        "rehearsed": {"points": {"points": "202.00"}, "money": "101.00", "share_of_turnover": 45.909},
        "difference": "92.00",
    }
    by_rule = {row["rule"]: row["rehearsed"]["points"].get("points") for row in report["by"]["rule"]}
    assert by_rule == {
        "back": "44.00", "campaign": "100.00", "on_enrolment": "50.00", "first": "14.00", "level": "2.00",
        "returned": "-8.00",
    }  # fmt: skip
    assert {row["month"]: row["live"]["points"].get("points") for row in report["by"]["month"]} == {
        "2026-02": "10.00", "2026-03": "2.00", "2026-04": "6.00",
    }  # fmt: skip
    assert [row["tier"] for row in report["by"]["tier"]] == ["", "silver"]
    assert [row["segment"] for row in report["by"]["segment"]] == ["", "regular"]
    assert (report["baskets"], report["turnover"], report["members"], report["gaining"]) == (3, "220.00", 2, 2)
    assert report["gain_most"][0]["account_id"] in {str(account_of(shop)), str(account_of(shop, "88"))}
    [budget] = report["budgets"]
    assert [(day["day"], day["asked"], day["granted"], day["used"]) for day in budget["days"]] == [
        ("2026-02-10", "40.00", "40.00", "40.00"),
        ("2026-03-10", "40.00", "40.00", "80.00"),
        ("2026-04-10", "40.00", "20.00", "100.00"),
    ]
    assert budget["used_up_on"] == "2026-04-10"
    await the_page_stands_alone(shop, asked["rehearsal_id"])


async def the_page_stands_alone(shop: Shop, rehearsal_id: str) -> None:
    """A page in three languages, with its charts in it, that needs nothing from elsewhere."""
    for language, word in (("pl", "Według miesięcy"), ("ru", "По месяцам"), ("en", "By month")):
        headers = {"Accept": "text/html", "Accept-Language": language}
        page = await shop.api.get(f"/v1/rehearsals/{rehearsal_id}", headers=headers)
        assert (page.status_code, page.headers["content-language"]) == (200, language)
        assert word in page.text
        assert page.text.count("<svg") == 2
        assert "http" not in page.text.replace("http://www.w3.org/2000/svg", "")
        assert page.headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'"


async def test_what_is_in_force_rehearses_to_what_was_decided(shop: Shop) -> None:
    """The live version again comes to the live figures, to the unit, on both sides; so does it against itself."""
    await a_past(shop)
    plain = await ask(shop, {"file": LIVE, **PERIOD})
    against = await ask(shop, {"version": 1, "against": 1, **PERIOD}, "r2")
    async with working(shop):
        for asked in (plain, against):
            report = (await finished(shop, asked["rehearsal_id"]))["report"]
            assert report["cost"]["rehearsed"] == report["cost"]["live"]
            assert report["cost"]["live"]["points"] == {"points": "18.00"}
            assert (report["even"], report["gaining"], report["losing"]) == (2, 0, 0)
            for rows in report["by"].values():
                assert all(row["rehearsed"] == row["live"] for row in rows)


async def test_a_rehearsal_whose_process_is_killed_is_done_all_the_same(shop: Shop) -> None:
    """The child dies, and so does a worker that held a part: others take it up, and nothing is counted twice."""
    await a_past(shop)
    asked = await ask(shop, {"file": DRAFT, **PERIOD})
    # A worker that died holding a part: its lease runs out.
    kept = await Rehearsals(shop.pool).find("default", UUID(asked["rehearsal_id"]))
    assert kept is not None
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    assert await Rehearsals(shop.pool).claim(kept.asked, long_ago, timedelta(seconds=1)) == 0
    async with working(shop):
        killed = False
        async with asyncio.timeout(120):
            while not killed:
                await asyncio.sleep(0.05)
                for child in psutil.Process().children():
                    if "services.rules.rehearsal.child" in child.cmdline() and await _parts_done(shop.pool) > 0:
                        child.kill()
                        killed = True
        found = await finished(shop, asked["rehearsal_id"])
    assert (found["state"], found["progress"]["decisions"]) == ("done", 7)
    assert found["report"]["cost"]["rehearsed"]["points"] == {"points": "202.00"}


async def test_rehearsals_are_listed_and_forgotten_in_their_time(shop: Shop) -> None:
    """The latest first, page by page; ninety days after its end one is forgotten, and what has not ended is not."""
    await shop.publish(LIVE)
    asked = []
    for number in range(3):
        shop.clock[0] = NOW + timedelta(minutes=number)
        asked.append((await ask(shop, {"version": 1} | PERIOD, key=f"r{number}"))["rehearsal_id"])

    async def listed(**query: str) -> tuple[list[str], str | None]:
        found = (await shop.api.get("/v1/rehearsals", params=query)).raise_for_status().json()
        assert all(each["state"] in ("waiting", "failed") and "report" not in each for each in found["rehearsals"])
        return [each["rehearsal_id"] for each in found["rehearsals"]], found["next_cursor"]

    first, cursor = await listed(programme="club", limit="2")
    assert (first, await listed(programme="club", limit="2", cursor=cursor or "")) == (asked[:0:-1], ([asked[0]], None))
    assert await listed(programme="another") == ([], None)
    rehearsals = Rehearsals(shop.pool)
    [oldest, *_] = await rehearsals.open()
    assert await rehearsals.failed(oldest, "no time", NOW) == timedelta(0)
    assert await rehearsals.failed(oldest, "no time", NOW) is None
    forgotten = [
        await RehearsalSweeper(shop.pool, RulesSettings(), clock=lambda days=days: NOW + timedelta(days=days)).sweep()  # type: ignore[misc]  # a clock takes nothing
        for days in (89, 91, 91)
    ]
    assert (forgotten, await listed()) == ([0, 1, 0], (asked[:0:-1], None))
    assert await shop.pool.fetchval("select count(distinct rehearsal_id) from rehearsal_part") == 2


async def test_the_process_of_rehearsals_does_what_is_asked_over_http(shop: Shop) -> None:
    """`bonus rules rehearsals`, started as operators start it, finishes a rehearsal and lives on."""
    await a_past(shop)
    asked = await ask(shop, {"file": DRAFT} | PERIOD)
    settings = {
        "BONUS_POSTGRES_DSN": shop.dsn, "BONUS_MASTER_KEYS": f"one:{KEY}", "BONUS_REHEARSAL_NICENESS": "0",
        "BONUS_IDENTIFIER_KEY": KEY, "BONUS_REHEARSAL_LOOK_S": "0.1",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.command", "rules", "rehearsals", env=dict(os.environ) | settings,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        found = await finished(shop, asked["rehearsal_id"])
        assert (found["state"], found["error"], process.returncode) == ("done", None, None)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 30) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_A6_an_erased_member_is_left_out_on_both_sides(shop: Shop) -> None:
    """What cannot be read any more cannot be rehearsed: it is counted as such, and makes no difference."""
    await a_past(shop)
    member = await shop.pool.fetchval("select member_id from decision where cause_id = 'p3'")
    await shop.vault.destroy(shop.pool, [member])
    asked = await ask(shop, {"file": LIVE, **PERIOD})
    async with working(shop):
        report = (await finished(shop, asked["rehearsal_id"]))["report"]
    assert (report["baskets"], report["unreadable"], report["cost"]["live"]["points"]) == (2, 2, {"points": "8.00"})


async def test_what_cannot_be_rehearsed_is_refused(shop: Shop) -> None:
    """An unknown version, a faulty file, a period that ends before it begins; a key used for something else."""
    await shop.publish(LIVE)
    draft = await shop.publish(DRAFT, starts_at=None)
    wrong: list[tuple[dict[str, Any], int, str]] = [
        ({"version": 9, **PERIOD}, 404, "unknown_version"),
        ({"version": 1, "against": draft, **PERIOD}, 404, "unknown_version"),
        ({"file": "programme: club\n", **PERIOD}, 422, "programme_invalid"),
        ({"file": LIVE.replace("club", "other"), **PERIOD}, 422, "another_programme"),
        ({"version": 1, "from": PERIOD["until"], "until": PERIOD["from"]}, 422, "out_of_range"),
        ({"version": 1, "from": "2000-01-01T00:00:00Z", "until": PERIOD["until"]}, 422, "period_too_long"),
    ]
    for number, (body, status, code) in enumerate(wrong):
        response = await shop.api.post(
            "/v1/programmes/club/rehearsals", json=body, headers={"Idempotency-Key": f"w{number}"}
        )
        assert (response.status_code, response.json()["code"]) == (status, code)
    first = await ask(shop, {"version": 1, **PERIOD})
    assert (await ask(shop, {"version": 1, **PERIOD}))["rehearsal_id"] == first["rehearsal_id"]
    other = await shop.api.post(
        "/v1/programmes/club/rehearsals", json={"version": draft, **PERIOD}, headers={"Idempotency-Key": "r1"}
    )
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert (await shop.api.get(f"/v1/rehearsals/{account_of(shop)}")).status_code == 404


async def _parts_done(pool: asyncpg.Pool) -> int:
    done: int = await pool.fetchval("select count(tally) from rehearsal_part")
    return done
