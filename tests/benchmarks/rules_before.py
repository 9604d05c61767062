"""What is asked before a programme goes live, and before a basket is paid: rehearsals and quotes on the year.

A quote is timed from the instant at which it was due, 200 a second, whatever those before it took.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from examples.demo.dataset import Year
from examples.demo.messages import PROGRAMME, card_of, purchases
from examples.demo.run import PROGRAMME_FILE
from tests.benchmarks import http_load
from tests.benchmarks.http_load import LoadResult, percentiles

QUOTES: Final = 3_000
QUOTES_PER_SECOND: Final = 200
CONNECTIONS: Final = 16
_SPACE_DAYS: Final = 400


async def quotes(environment: dict[str, str], year: Year, count: int = QUOTES) -> dict[str, float]:
    """Milliseconds of a quote for the last baskets of the year, as their tills would ask for them."""
    url = urlsplit(environment["BONUS_RULES_URL"])
    result = await http_load.run_paced(
        url.hostname or "", url.port or 0, _requests(environment, year, count), CONNECTIONS, QUOTES_PER_SECOND
    )
    _all_answered(result)
    return percentiles(result.latencies_ms)


async def rehearsal(environment: dict[str, str], year: Year) -> dict[str, Any]:
    """Baskets a second of a rehearsal of the whole year, and what quotes take meanwhile."""
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.json"
        command = [
            sys.executable, "-m", "services.command", "rules", "rehearse", str(PROGRAMME_FILE),
            "--from", f"{datetime.now(UTC) - timedelta(days=_SPACE_DAYS):%Y-%m-%d}",
            "--until", f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}", "--json", str(report),
        ]  # fmt: skip
        started = time.perf_counter()
        running = asyncio.create_task(
            asyncio.to_thread(
                subprocess.run, command, env=os.environ | environment, capture_output=True, text=True, check=True
            )
        )
        during = await quotes(environment, year, QUOTES // 3)
        await running
        seconds = time.perf_counter() - started
        found = json.loads(report.read_text(encoding="utf-8"))["report"]
    return {
        "rehearsal_baskets_per_second": round(found["baskets"] / seconds),
        "rehearsal_baskets": found["baskets"],
        "rehearsal_agrees": found["cost"]["rehearsed"] == found["cost"]["live"],
        "quote_while_rehearsing_ms": during,
    }


def _requests(environment: dict[str, str], year: Year, count: int) -> Sequence[bytes]:
    url = urlsplit(environment["BONUS_RULES_URL"])
    headers = {"Authorization": f"Bearer {environment['BONUS_TOKEN']}"}
    first = max(0, year.baskets.height - count)
    households = year.baskets["household_id"][first:].to_list()
    made = []
    for household, message in zip(households, purchases(year, lambda: datetime.now(UTC), first), strict=True):
        data = orjson.loads(message.value)["data"]
        body = {
            "programme": PROGRAMME, "currency": data["currency"], "store": data["store"], "lines": data["lines"],
            "member": {"type": "card", "value": card_of(household)},
        }  # fmt: skip
        made.append(http_load.request("POST", "/v1/quotes", url.netloc, headers, orjson.dumps(body)))
    return made


def _all_answered(result: LoadResult) -> None:
    if set(result.statuses) != {200}:
        raise RuntimeError(f"quotes were answered with {result.statuses}")
