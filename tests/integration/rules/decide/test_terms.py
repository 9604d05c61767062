"""Terms, publication with its refusals, and the way back, over HTTP on a real database."""

from datetime import timedelta

import pytest

from tests.integration.rules.decide.conftest import FIVE_PERCENT, NOW, Counter
from tests.integration.rules.decide.http import ask, client_of, put_file
from tests.integration.rules.decide.messages import bought, enrolled

TEN_PERCENT = FIVE_PERCENT.replace("5 %", "10 %")
HEAD = "programme: club\nzone: Europe/Warsaw\nmoney: PLN\ncurrencies: {points: {scale: 2}}\n"


async def test_members_read_the_terms_in_force_in_their_language(counter: Counter) -> None:
    """By what is asked, else by Accept-Language; now, at an instant, or of a version; a page for browsers."""
    await counter.publish(FIVE_PERCENT, "2026-01-01T00:00:00+00:00")
    await counter.publish(TEN_PERCENT, (NOW + timedelta(days=30)).isoformat())
    async with client_of(counter) as api:
        polish = await api.get("/v1/programmes/club/terms?language=pl")
        assert (polish.status_code, polish.headers["content-type"], polish.headers["content-language"]) == (
            200, "text/markdown; charset=utf-8", "pl"
        )  # fmt: skip
        assert "- Za każdy zakup: 5% zapłaconej kwoty, czyli 5\u00a0punktów za każde 100\u00a0zł.\n" in polish.text
        assert "Zasady obowiązują dla zakupów od 1 stycznia 2026, 01:00 (wersja 1).\n" in polish.text
        russian = await api.get("/v1/programmes/club/terms", headers={"accept-language": "de, ru;q=0.5"})
        assert russian.text.startswith("# club: правила программы\n")
        later = await api.get("/v1/programmes/club/terms?at=2026-12-01T00:00:00Z")
        assert "10% of what you pay" in later.text
        assert (await api.get("/v1/programmes/club/terms?version=2")).text == later.text
        page = await api.get("/v1/programmes/club/terms", headers={"accept": "text/html"})
        assert page.text.startswith('<!doctype html>\n<html lang="en">')
        unknown = [
            (await api.get(f"/v1/programmes/{path}")).json()["code"]
            for path in ("nowhere/terms", "club/terms?version=3", "club/terms?language=de")
        ]
    assert unknown == ["unknown_programme", "unknown_version", "unknown_value"]


async def test_going_back_starts_the_old_file_as_another_version(counter: Counter) -> None:
    """Version 3 is the file of version 1; what was bought under version 2 keeps its price, whenever it comes."""
    async with client_of(counter) as api:
        await put_file(api, FIVE_PERCENT, "k1")
        await ask(api, "versions/1/publish", "k2", {"starts_at": "2026-01-01T00:00:00Z"})
        await put_file(api, TEN_PERCENT, "k3")
        assert (await ask(api, "versions/2/rollback", "k4")).json()["code"] == "not_published"
        await ask(api, "versions/2/publish", "k5")
        counter.clock[0] += timedelta(hours=1)
        back = await ask(api, "versions/1/rollback", "k6")
        assert back.json() == {
            "programme": "club", "version": 3, "state": "published", "file_of_version": 1,
            "starts_at": (NOW + timedelta(hours=1, seconds=60)).isoformat(),
        }  # fmt: skip
        assert (await ask(api, "versions/1/rollback", "k6")).json() == back.json()
        early = await ask(api, "versions/1/rollback", "k7", {"starts_at": NOW.isoformat()})
        assert (early.status_code, early.json()["code"]) == (422, "starts_too_early")
        assert (await ask(api, "versions/9/rollback", "k8")).status_code == 404
        files = [(await api.get(f"/v1/programmes/club/versions/{version}")).json()["file"] for version in (1, 2, 3)]
    assert files == [FIVE_PERCENT, TEN_PERCENT, FIVE_PERCENT]
    counter.clock[0] += timedelta(hours=1)
    await counter.catalogue.refresh()
    await counter.send(enrolled())
    under_2, under_3 = NOW + timedelta(minutes=30), NOW + timedelta(hours=1, minutes=30)
    await counter.send(bought("p2", "100.00", at=under_2.isoformat()), bought("p3", "100.00", at=under_3.isoformat()))
    rows = await counter.pool.fetch("select cause_id, programme_version from decision where kind = 'purchase'")
    assert {row["cause_id"]: row["programme_version"] for row in rows} == {"p2": 2, "p3": 3}


@pytest.mark.parametrize(
    ("said", "field", "suggestion"),
    [
        ('earn: [{rule: a, give: 5 %, when: "purchase.total >"}]', "earn[1].when", None),
        ("earn: [{rule: a, give: 1 point per 0}]", "earn[1].give", "write 1 point per 10.00"),
        ('earn: [{rule: a, give: 5 %, when: "purchase.total / 0 > 5"}]', "earn[1].when", None),
        (
            'earn: [{rule: a, give: 5 %, when: "member.segments.exists(x, member.segments.exists(y, x < y))"}]',
            "earn[1].when", "leave out a loop within a loop, or shorten the list",
        ),
        ('earn: [{rule: a, give: 5 %, when: "purchase.totl > 5"}]', "earn[1].when", "did you mean purchase.total?"),
        ("earn: [{rule: a, give: 5 %}, {rule: a, give: 6 %}]", "earn[2].rule", "call it a-2"),
        (
            "earn: [{rule: a, give: x11}]", "earn[1].give",
            "add cap: {purchase: 500 points} to the rule, or caps: to the programme, or give less",
        ),
    ],
)  # fmt: skip
async def test_what_must_not_go_live_is_refused_with_where_and_how_to_mend(
    counter: Counter, said: str, field: str, suggestion: str | None
) -> None:
    """Does not compile, divides by zero, runs too long, unknown fact, overlaps itself, pays without bound."""
    async with client_of(counter) as api:
        answer = await put_file(api, f"{HEAD}{said}\n", "k1")
    [fault] = answer.json()["errors"]
    assert (answer.status_code, fault["line"], fault["field"], fault["suggestion"]) == (422, 5, field, suggestion)
    assert fault["column"] > 1
    assert await counter.pool.fetchval("select count(*) from programme_version") == 0
