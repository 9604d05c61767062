"""One account that has a long history, and one that everybody wants at the same moment; over HTTP.

The long one is that of `ledger.cost_by_history`, with as many lots as events, each lot with a date of its own: it has
to be measured before.
"""

import random
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

import asyncpg
import orjson

from tests.benchmarks import awards, http_load
from tests.benchmarks.http_load import LoadResult, percentiles
from tests.benchmarks.ledger import ACCOUNTS, CONNECTIONS, HISTORIES

HOLDS: Final = 4_000
HOT: Final = ACCOUNTS // 2
"""The account that takes half of the traffic."""

LONG: Final = ACCOUNTS + max(HISTORIES)
_ASKED: Final = 200
_SEED: Final = 13


async def holds_and_captures(environment: dict[str, str]) -> dict[str, Any]:
    """Holds placed, then captured, from 64 connections; every second one on one and the same account."""
    chance = random.Random(_SEED)  # noqa: S311 - the same load every time, nothing secret
    to = _Requests(environment)
    accounts = [HOT if number % 2 else chance.randrange(ACCOUNTS) for number in range(HOLDS)]
    body = orjson.dumps({"currency": awards.CURRENCY, "points": "0.01", "time_out_s": 900})
    placed = await to.send(
        [to.post(f"/v1/accounts/{awards.account(number)}/holds", f"hold-{index}", body)
         for index, number in enumerate(accounts)]
    )  # fmt: skip
    holds = [held for answer in placed.answers if "hold_id" in (held := orjson.loads(answer))]
    captured = await to.send(
        [to.post(f"/v1/accounts/{held['account_id']}/holds/{held['hold_id']}/capture", f"capture-{index}", b"{}")
         for index, held in enumerate(holds)]
    )  # fmt: skip
    return {
        "holds_per_second": round(placed.per_second),
        "hold_ms": percentiles(placed.latencies_ms),
        "captures_per_second": round(captured.per_second),
        "capture_ms": percentiles(captured.latencies_ms),
        "hold_statuses": _statuses(placed, captured),
    }


async def long_history(environment: dict[str, str]) -> dict[str, Any]:
    """Milliseconds of single requests on the account with 100,000 lots and more events: spending, pages, two times."""
    to = _Requests(environment)
    path = f"/v1/accounts/{awards.account(LONG)}"
    body = orjson.dumps({"currency": awards.CURRENCY, "points": "0.01"})
    chance = random.Random(_SEED)  # noqa: S311 - the same load every time, nothing secret
    first, last = await _lifetime(environment["BONUS_POSTGRES_DSN"])

    def then() -> str:
        as_of, known_at = (quote((first + chance.random() * (last - first)).isoformat()) for _ in range(2))
        return f"{path}?as_of={as_of}&known_at={known_at}"

    asked: dict[str, Callable[[int], bytes]] = {
        "redemption_ms": lambda index: to.post(f"{path}/redemptions", f"long-{index}", body),
        "statement_page_ms": lambda _: to.get(f"{path}/statement?limit=50"),
        "balance_ms": lambda _: to.get(path),
        "two_times_ms": lambda _: to.get(then()),
    }
    figures: dict[str, Any] = {}
    for name, request in asked.items():
        result = await to.send([request(index) for index in range(_ASKED)], connections=1)
        figures[name] = percentiles(result.latencies_ms) | {"statuses": _statuses(result)}
    return figures


async def _lifetime(dsn: str) -> tuple[datetime, datetime]:
    """From when to when the long account's lines are known."""
    connection = await asyncpg.connect(dsn)
    try:
        row = await connection.fetchrow(
            "select min(known_at), max(known_at) from ledger.entry where account_id = $1", awards.account(LONG)
        )
        return row[0], row[1]
    finally:
        await connection.close()


class _Requests:
    """Requests to the books, with the token of the stack."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._url = urlsplit(environment["BONUS_LEDGER_URL"])
        self._token = {"Authorization": f"Bearer {environment['BONUS_TOKEN']}"}

    def get(self, path: str) -> bytes:
        return http_load.request("GET", path, self._url.netloc, self._token)

    def post(self, path: str, key: str, body: bytes) -> bytes:
        return http_load.request("POST", path, self._url.netloc, self._token | {"Idempotency-Key": key}, body)

    async def send(self, requests: list[bytes], connections: int = CONNECTIONS) -> LoadResult:
        return await http_load.run(self._url.hostname or "", self._url.port or 0, requests, connections, keep=True)


def _statuses(*results: LoadResult) -> dict[str, int]:
    counts: dict[str, int] = {}
    for result in results:
        for status, count in result.statuses.items():
            counts[str(status)] = counts.get(str(status), 0) + count
    return counts
