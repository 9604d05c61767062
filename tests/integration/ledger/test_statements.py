"""Statements: in the reader's words, page by page while others write, and whole as a stream."""

import asyncio
import csv
import io
import json
import tracemalloc
from typing import Any

import pytest

from services.ledger.verify.plan import Plan
from services.ledger.verify.run import verify_shards
from tests.integration.ledger.conftest import NOW, POINTS, Api, Books, Member, accrual, days, paid, reversal, token


async def lines_of(api: Api, member: Member, language: str = "en", **params: Any) -> list[dict[str, Any]]:
    """The newest lines of the statement, as a reader of this language sees them."""
    answer = await api.get(
        f"/accounts/{member.account}/statement", params=params, headers={"Accept-Language": language}
    )
    assert (answer.status_code, answer.headers["content-language"]) == (200, language), answer.text
    lines: list[dict[str, Any]] = answer.json()["items"]
    return lines


SAID = {
    "en": """
Earned: 40.00 points. Purchase krakow-12/3/000451, store krakow-12. Rules: level 40.00. Available now: 40.00 points.
Spent: 10.00 points. Reference: receipt 7. Available now: 30.00 points.
Corrected by hand: -5.00 points. Reason: complaint-17, operator: ewa. Available now: 25.00 points.
Taken back: 40.00 points. Return r-krakow-12/3/000451. Available now: 0.00 points. Owed: 15.00 points.
""",
    "pl": """
Naliczono: 40,00 punktów. Zakup krakow-12/3/000451, sklep krakow-12. Reguły: level 40,00. Dostępne teraz: 40,00 punktów.
Wydano: 10,00 punktów. Oznaczenie: receipt 7. Dostępne teraz: 30,00 punktów.
Poprawiono ręcznie: -5,00 punktów. Powód: complaint-17, operator: ewa. Dostępne teraz: 25,00 punktów.
Cofnięto: 40,00 punktów. Zwrot r-krakow-12/3/000451. Dostępne teraz: 0,00 punktów. Dług: 15,00 punktów.
""",
    "ru": """
Начислено: 40,00 баллов. Покупка krakow-12/3/000451, магазин krakow-12. Правила: level 40,00. \
Сейчас доступно: 40,00 баллов.
Списано в оплату: 10,00 баллов. Номер: receipt 7. Сейчас доступно: 30,00 баллов.
Исправлено вручную: -5,00 баллов. Причина: complaint-17, оператор: ewa. Сейчас доступно: 25,00 баллов.
Отменено начисление: 40,00 баллов. Возврат r-krakow-12/3/000451. Сейчас доступно: 0,00 баллов. Долг: 15,00 баллов.
""",
}


@pytest.mark.parametrize("language", ["en", "pl", "ru"])
async def test_a_line_says_what_happened_and_why(books: Books, api: Api, member: Member, language: str) -> None:
    """Source purchase, rule names, operator and the balance after it, in the reader's language and the shop's words."""
    words = {"currency": POINTS, "scale": 2, "worth": "1.00", "name": {"pl": "punktów"}}
    await books.publish(currencies=[words])
    await books.take(accrual(member, "krakow-12/3/000451", 40_00))
    await api.redeem(member, "10.00", reference="receipt 7")
    adjustment = {"currency": POINTS, "points": "-5.00", "reason": "complaint-17"}
    await api.post(f"/accounts/{member.account}/adjustments", adjustment, headers=token(subject="ewa"))
    await books.take(reversal(member, "krakow-12/3/000451", 40_00, "negative"))
    told = [line["text"] for line in reversed(await lines_of(api, member, language))]
    assert told == SAID[language].strip().splitlines()


async def test_each_line_names_the_rules_of_its_own_currency(books: Books, api: Api, member: Member) -> None:
    """A purchase that gave points, miles and stamps has three lines; what rules gave is written with its decimals."""
    event = accrual(member, "p1", 40_05)
    (points,) = event["data"]["grants"]
    points["rules"] = [{"rule": "level", "points": 40_00}, {"rule": "dairy", "points": 5}]
    miles = points | {"currency": "miles", "scale": 4, "points": 5, "rules": [{"rule": "level", "points": 5}]}
    stamps = points | {"currency": "stamps", "scale": 0, "points": 3, "rules": [{"rule": "album", "points": 3}]}
    event["data"]["grants"] += [miles, stamps]
    await books.take(event)
    lines = {line["currency"]: line for line in await lines_of(api, member)}
    assert {currency: line["why"]["rules"] for currency, line in lines.items()} == {
        POINTS: {"level": "40.00", "dairy": "0.05"},
        "miles": {"level": "0.0005"},
        "stamps": {"album": "3"},
    }
    assert [lines[name]["text"].split(". ")[2] for name in (POINTS, "miles", "stamps")] == [
        "Rules: level 40.00; dairy 0.05",
        "Rules: level 0.0005",
        "Rules: album 3",
    ]
    assert lines[POINTS]["why"]["source"] == {"kind": "purchase", "id": "p1", "store": "krakow-12"}
    exported = await api.get(f"/accounts/{member.account}/statement", headers={"Accept": "text/csv"})
    assert {row["currency"]: row["rules"] for row in csv.DictReader(io.StringIO(exported.text))} == {
        POINTS: "level=40.00 dairy=0.05", "miles": "level=0.0005", "stamps": "album=3",
    }  # fmt: skip
    assert (await verify_shards(books.settings.postgres_dsn, [member.shard], Plan())).differences == []


async def test_what_is_due_by_now_is_told_before_it_is_written(books: Books, api: Api, member: Member) -> None:
    """Activation and expiry are lines at their instants, whether a sweeper ran or not."""
    await books.take(accrual(member, "p1", 40_00, activates_at=NOW + days(1), expires_at=NOW + days(2)))
    books.clock.now = NOW + days(3)
    before = await lines_of(api, member)
    assert [line["text"].split(".")[0] for line in before] == [
        "Expired: 40",
        "May be spent from now on: 40",
        "Earned, not to be spent yet: 40",
    ]
    assert await books.sweep(member) == 1
    recorded = [line.pop("recorded_at") for line in await lines_of(api, member)]
    after = await lines_of(api, member)
    assert [line | {"recorded_at": None} for line in after] == [line | {"recorded_at": None} for line in before]
    assert len(recorded) == 3


async def test_cursors_are_stable_while_others_write(books: Books, api: Api, member: Member) -> None:
    """Page by page, with a redemption between any two: every line of the first moment once, in order, and no other."""
    for number in range(23):
        await books.take(accrual(member, f"p{number}", 1_00))
    expected = [line["version"] for line in await lines_of(api, member, limit=500)]
    seen, cursor = [], None
    for _ in range(30):
        params = {"limit": 4} | ({"cursor": cursor} if cursor else {})
        page = (await api.get(f"/accounts/{member.account}/statement", params=params)).json()
        seen += [line["version"] for line in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        assert (await api.redeem(member, "0.01")).status_code == 201
    assert seen == expected
    foreign = await api.get(f"/accounts/{member.account}/statement", params={"cursor": "abc"})
    assert (foreign.status_code, foreign.json()["code"]) == (400, "cursor_invalid")
    events, cursor = [], None
    while True:
        params = {"limit": 7} | ({"cursor": cursor} if cursor else {})
        page = (await api.get(f"/accounts/{member.account}/events", params=params)).json()
        events += [event["id"] for event in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert events == [event["id"] for event in await books.events(member)]


async def test_exports_hold_every_line_once(books: Books, api: Api, member: Member) -> None:
    """CSV for a spreadsheet and JSON Lines for a program, oldest first, the same lines as the pages."""
    await books.take(*(accrual(member, f"=p{number}", 1_00 + number) for number in range(9)))
    await books.take(paid(member, "b1", 3_00))
    books.settings.ledger_export_rows = 4
    pages = (await lines_of(api, member, "pl", limit=500))[::-1]
    path, polish = f"/accounts/{member.account}/statement", {"Accept-Language": "pl"}
    answer = await api.get(path, headers=polish | {"Accept": "application/x-ndjson"})
    assert [json.loads(line) for line in answer.text.splitlines()] == pages
    answer = await api.get(path, headers=polish | {"Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["version"], row["text"]) for row in rows] == [(str(each["version"]), each["text"]) for each in pages]
    assert rows[0]["source_id"] == "'=p0", "what a spreadsheet would take for a formula is a text"
    assert sum(float(row["issued"]) for row in rows) == 9.36


async def test_an_export_takes_constant_memory(books: Books, api: Api, member: Member) -> None:
    """Ten times the lines are not ten times the memory: what is sent is forgotten."""

    async def peak(path: str) -> int:
        tracemalloc.start()
        sent = await drained(api, path)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert sent > 0
        return most

    path = f"/accounts/{member.account}/statement"
    books.settings.ledger_export_rows = 100
    await fill(books, member, 300)
    await peak(path)
    few = await peak(path)
    await fill(books, member, 3_000)
    assert await peak(path) < 2 * few


async def drained(api: Api, path: str) -> int:
    """Have an export sent to a reader who keeps nothing, unlike the client of other tests; gives its bytes."""
    transport: Any = api.client._transport  # the one way to the application behind the client
    sent = 0

    async def send(message: dict[str, Any]) -> None:
        nonlocal sent
        sent += len(message.get("body", b""))

    async def receive() -> dict[str, Any]:
        # A reader who stays to the end: nothing more comes from it.
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    headers = [(name.lower().encode(), value.encode()) for name, value in (token() | {"Accept": "text/csv"}).items()]
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": f"/v1{path}",
        "raw_path": f"/v1{path}".encode(), "query_string": b"", "headers": headers, "server": ("ledger", 80),
        "client": ("test", 1), "root_path": "",
    }  # fmt: skip
    await transport.app(scope, receive, send)
    return sent


async def fill(books: Books, member: Member, count: int) -> None:
    """Book so many accruals."""
    for first in range(0, count, 250):
        batch = [accrual(member, f"{count}-{number}", 1) for number in range(first, first + 250)]
        await books.take(*batch)


async def test_a_read_is_no_older_than_the_position_asked_for(books: Books, api: Api, member: Member) -> None:
    """Who has written reads what it wrote; a position that nobody has reached is not waited for without end."""
    await books.take(accrual(member, "p1", 40_00))
    done = (await api.redeem(member, "1.00")).json()
    path = f"/accounts/{member.account}"
    read = await api.get(path, params={"min_position": done["position"]})
    assert read.json()["balances"][POINTS]["available"] == "39.00"
    books.settings.ledger_position_wait_ms = 20
    far = await api.get(path, params={"min_position": done["position"] + 1})
    assert (far.status_code, far.json()["code"], far.headers["retry-after"]) == (409, "position_not_reached", "1")
