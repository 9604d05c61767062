"""Programmes on a real database: drafts, publication, suspension, and the copy that decisions work with."""

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest

from contracts.catalogue import MODELS
from contracts.programmes import ProgrammePublished
from services.rules.domain.refusals import Refusal
from services.rules.programmes.store import Place
from tests.integration.rules.decide.conftest import FIVE_PERCENT, NOW, Counter
from tests.integration.rules.decide.http import ask, client_of, put_file
from tests.integration.rules.decide.messages import bought, enrolled

CLUB = Place("default", "club")
TEN_PERCENT = FIVE_PERCENT.replace("5 %", "10 %")


async def announcements(counter: Counter) -> list[dict[str, Any]]:
    """What every service was told, held against the contract."""
    rows = await counter.pool.fetch(
        "select key, body from event where type = 'bonus.programme.published.v1' order by shard, position"
    )
    assert {row["key"] for row in rows} <= {"default/club"}
    events = [orjson.loads(row["body"]) for row in rows]
    for each in events:
        MODELS[each["type"]].model_validate(each)
    return [each["data"] for each in events]


async def test_a_file_becomes_a_draft_and_a_version_that_everybody_hears_of(counter: Counter) -> None:
    """Sent, kept, published: the versions with their instants are on the topic, and decisions know them."""
    async with client_of(counter) as api:
        drafted = await put_file(api, FIVE_PERCENT, "k1")
        assert (drafted.status_code, drafted.json()["version"], drafted.json()["state"]) == (201, 1, "draft")
        assert await announcements(counter) == []
        published = await ask(api, "versions/1/publish", "k2", {"starts_at": "2026-01-01T00:00:00Z"})
        assert (published.status_code, published.json()["state"]) == (200, "published")
        listed = (await api.get("/v1/programmes/club/versions")).json()["versions"]
        assert [(each["version"], each["state"], each["published_by"]) for each in listed] == [
            (1, "published", "marketing")
        ]
        assert (await api.get("/v1/programmes/club/versions/1")).json()["file"] == FIVE_PERCENT
        assert (await api.get("/v1/programmes")).json()["programmes"][0]["programme"] == "club"
    [told] = await announcements(counter)
    assert (told["revision"], told["versions"][0]["starts_at"]) == (1, "2026-01-01T00:00:00+00:00")
    # No refresh was asked for: a programme that is not known is looked up at once.
    await counter.send(enrolled(), bought("p1", "100.00"))
    assert len(await counter.awards("bonus.points.accrue.v1")) == 1


async def test_faults_of_a_file_are_named_by_line_and_column(counter: Counter) -> None:
    """Nothing is kept of a file that is no programme; the answer says where and how to mend it."""
    async with client_of(counter) as api:
        answer = await put_file(api, FIVE_PERCENT.replace("give: 5 %", "give: 5 procent"), "k1")
        assert (answer.status_code, answer.json()["code"]) == (422, "programme_invalid")
        [fault] = answer.json()["errors"]
        assert (fault["line"], fault["field"]) == (7, "earn[1].give")
        other = await put_file(api, FIVE_PERCENT, "k2", programme="other")
        assert (other.status_code, other.json()["code"]) == (422, "another_programme")
        assert (await api.get("/v1/programmes/club/versions")).status_code == 404


async def test_a_later_version_starts_no_sooner_than_everybody_knows(counter: Counter) -> None:
    """Version 2 starts a minute after its publication at the earliest; version 1 might have started in the past."""
    async with client_of(counter) as api:
        await put_file(api, FIVE_PERCENT, "k1")
        await ask(api, "versions/1/publish", "k2", {"starts_at": "2020-01-01T00:00:00Z"})
        await put_file(api, TEN_PERCENT, "k3")
        soon = (NOW + timedelta(seconds=59)).isoformat()
        early = await ask(api, "versions/2/publish", "k4", {"starts_at": soon})
        assert (early.status_code, early.json()["code"], early.json()["field"]) == (
            422, "starts_too_early", "$.starts_at"
        )  # fmt: skip
        published = await ask(api, "versions/2/publish", "k5")
        assert published.json()["starts_at"] == (NOW + timedelta(seconds=60)).isoformat()
        again = await ask(api, "versions/2/publish", "k6", {"starts_at": "2027-01-01T00:00:00Z"})
        assert (again.status_code, again.json()["code"]) == (409, "already_published")
        assert (await ask(api, "versions/9/publish", "k7")).json()["code"] == "unknown_version"


async def test_the_same_request_is_done_once(counter: Counter) -> None:
    """Under the same key the same answer; with another content both facts; the same file is the same draft."""
    async with client_of(counter) as api:
        first = await put_file(api, FIVE_PERCENT, "k1")
        assert (await put_file(api, FIVE_PERCENT, "k1")).json() == first.json()
        reused = await put_file(api, TEN_PERCENT, "k1")
        assert (reused.status_code, reused.json()["code"]) == (409, "idempotency_key_reused")
        assert (await put_file(api, FIVE_PERCENT, "k2")).json()["version"] == 1
        once = await ask(api, "versions/1/publish", "k3")
        counter.clock[0] += timedelta(minutes=5)
        assert (await ask(api, "versions/1/publish", "k3")).json() == once.json()
        assert (await ask(api, "versions/1/publish", "k4")).json() == once.json()
    assert [told["revision"] for told in await announcements(counter)] == [1]


async def test_S1_suspended_and_resumed(counter: Counter) -> None:
    """Bought while it stood still earns nothing, whenever it comes; before and after it earns."""
    await counter.publish(FIVE_PERCENT)
    async with client_of(counter) as api:
        paused = await ask(api, "suspend", "k1")
        assert paused.status_code == 200
        assert (await ask(api, "suspend", "k2")).json()["suspensions"] == paused.json()["suspensions"]
        counter.clock[0] += timedelta(hours=2)
        resumed = await ask(api, "resume", "k3")
        assert resumed.json()["suspensions"] == [
            {"starts_at": NOW.isoformat(), "ends_at": (NOW + timedelta(hours=2)).isoformat()}
        ]
        past = await ask(api, "suspend", "k4", {"from": NOW.isoformat()})
        assert (past.status_code, past.json()["code"]) == (422, "in_the_past")
    await counter.catalogue.refresh()
    during, before, after = NOW + timedelta(hours=1), NOW - timedelta(minutes=1), NOW + timedelta(hours=2)
    await counter.send(enrolled())
    for name, at in (("during", during), ("before", before), ("after", after)):
        await counter.send(bought(name, "100.00", at=at.isoformat()))
    accrued = await counter.awards("bonus.points.accrue.v1")
    assert [each["data"]["source"]["id"] for each in accrued] == ["before", "after"]
    reason = await counter.pool.fetchval("select reason from decision where cause_id = 'during'")
    assert reason == "programme_suspended"
    assert [len(told["suspensions"]) for told in await announcements(counter)] == [0, 1, 1]


async def test_who_may_not_publish_cannot(counter: Counter) -> None:
    """A reader reads; another tenant has other programmes."""
    await counter.publish(FIVE_PERCENT)
    async with client_of(counter, scopes=("rules:read",)) as api:
        assert (await put_file(api, FIVE_PERCENT, "k1")).status_code == 403
        assert (await api.get("/v1/programmes/club/versions")).status_code == 200
    async with client_of(counter, tenant="elsewhere") as api:
        assert (await api.get("/v1/programmes/club/versions")).status_code == 404
        assert (await api.get("/v1/programmes")).json() == {"programmes": []}


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({"content-type": "application/json"}, b"{}", 415, "not_yaml"),
        ({"content-type": "application/yaml"}, b"\xff\xfe", 422, "not_utf8"),
        ({"content-type": "application/yaml"}, b"#" * 200_001, 413, "file_too_large"),
        ({"content-type": "application/yaml"}, b"", 422, "programme_invalid"),
        ({"content-type": "application/yaml"}, b'name: "\\0"', 422, "programme_invalid"),
        ({"content-type": "application/yaml"}, b"a: &x 1\nb: *x", 422, "programme_invalid"),
    ],
)
async def test_what_is_no_file_is_refused(
    counter: Counter, headers: dict[str, str], body: bytes, status: int, code: str
) -> None:
    """Each with its own code, and nothing is kept."""
    async with client_of(counter) as api:
        answer = await api.post(
            "/v1/programmes/club/versions", content=body, headers=headers | {"Idempotency-Key": "k"}
        )
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await counter.pool.fetchval("select count(*) from programme_version") == 0


async def test_what_would_never_happen_is_not_published(counter: Counter) -> None:
    """A file may say more than this release does; it stays a draft, with the reason."""
    file = FIVE_PERCENT.replace("give: 5 %", "give: 5 %, to: line.seller")
    drafted = await counter.store.draft(CLUB, file, "test")
    assert not isinstance(drafted, Refusal)
    refused = await counter.store.publish(CLUB, 1, None, "test")
    assert isinstance(refused, Refusal)
    assert refused.code == "not_supported_yet"


async def test_a_copy_learns_of_versions_and_outlives_the_database(counter: Counter) -> None:
    """Compiled once: a second refresh reads no file; a new version is found by its revision."""
    await counter.publish(FIVE_PERCENT)
    before = await counter.catalogue.published(*CLUB)
    await counter.catalogue.refresh()
    assert await counter.catalogue.published(*CLUB) is before
    await counter.publish(TEN_PERCENT, None)
    after = await counter.catalogue.published(*CLUB)
    assert [version.version for version in after.versions] == [1, 2]
    assert after.versions[0] is before.versions[0]
    terms = await counter.catalogue.find(*CLUB)
    assert terms is not None
    assert terms.money == "PLN"
    assert await counter.catalogue.find("default", "nowhere") is None


async def test_a_programme_that_was_just_published_is_known_at_once(counter: Counter) -> None:
    """A copy that was brought up to date a moment before says no only after asking again."""
    await counter.catalogue.refresh()
    assert (await counter.catalogue.published(*CLUB)).versions == ()
    await counter.store.draft(CLUB, FIVE_PERCENT, "test")
    await counter.store.publish(CLUB, 1, None, "test")
    found = await asyncio.gather(*(counter.catalogue.find(*CLUB) for _ in range(20)))
    assert None not in found


def test_the_contract_holds_every_guard() -> None:
    """What is announced is what the model has: a field that is added there is asked for here."""
    fields = set(ProgrammePublished.model_fields["data"].annotation.model_fields)  # type: ignore[union-attr]
    assert fields == {"programme", "revision", "versions", "suspensions", "published_by"}
