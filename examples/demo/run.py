"""The demonstration, step by step: a year of purchases, redemptions, returns, and the comparison."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer
from rich.console import Console

from examples.demo import answers, comparison, messages, recompute, traffic
from examples.demo.comparison import Mismatch
from examples.demo.dataset import Year
from examples.demo.live import LiveView
from examples.demo.messages import PROGRAMME
from examples.demo.progress import Progress, Reading
from examples.demo.publisher import Publisher, publisher
from examples.demo.recompute import Household
from examples.demo.visible import VisibleClock

PROGRAMME_FILE: Final = Path(__file__).parents[1] / "programmes" / f"{PROGRAMME}.yaml"
STEADY_PER_SECOND: Final = 300.0
STEADY_BASKETS: Final = 1_500
_STEADY_SHARE: Final = 10
_SETTLE_TIMEOUT_S: Final = 1_800.0
_LOOK_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Flow:
    """How fast the purchases went: baskets of the bulk and their seconds, and what each of the rest took."""

    seconds: float
    loaded: int
    visible_ms: list[float]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the demonstration found, for the report."""

    flow: Flow
    answered: dict[int, comparison.Answered]
    mismatches: list[Mismatch]
    redemption_ms: list[float]
    returned: list[traffic.Comeback]
    dead_letters: int


class Demonstration:
    """One run against a stack that is up; `environment` is what `bonus local env` prints."""

    def __init__(self, year: Year, environment: Mapping[str, str], console: Console) -> None:
        self._year = year
        self._environment = environment
        self._console = console

    async def run(self) -> Outcome:
        """Publish everything, wait until it is booked, spend, return, and compare. Raises what goes wrong."""
        async with self._client("RULES") as rules:
            await publish_programme(rules, self._year.starts_at - timedelta(days=1))
        expected = recompute.households(self._year)
        flow = await self.flow()
        async with self._publisher() as sender, self._progress() as progress, self._client("LEDGER") as ledger:
            redemption_ms = await self._spend(ledger, expected)
            returned = await self._bring_back(sender, progress, expected)
            answered = await answers.answered(ledger, self._year.households)
            dead_letters = await progress.dead_letters()
        mismatches = comparison.compare(expected, answered)
        return Outcome(flow, answered, mismatches, redemption_ms, returned, dead_letters)

    async def flow(self) -> Flow:
        """Publish the year until every balance stands: the bulk as fast as it goes, the rest at a till's pace."""
        async with self._publisher() as sender, self._progress() as progress:
            seconds, loaded = await self._load(sender, progress)
            return Flow(seconds, loaded, await self._steady(sender, progress))

    async def _load(self, sender: Publisher, progress: Progress) -> tuple[float, int]:
        """The bulk of the year as fast as it goes: seconds until every balance stands, and baskets."""
        bulk = self._year.baskets.height - self._steady_baskets
        started = time.perf_counter()
        await sender.publish(messages.enrolments(self._year, datetime.now(UTC)))
        enrolled = sender.acknowledged
        with LiveView(self._console, bulk) as view:
            publishing = asyncio.create_task(sender.publish(messages.purchases(self._year, _now, 0, bulk)))

            async def show() -> None:
                sent = sender.acknowledged - enrolled
                readings = {"published": Reading(sent, bulk), **await progress.stages()}
                view.show(readings, await progress.dead_letters())

            while not publishing.done():
                await show()
                await asyncio.sleep(_LOOK_S)
            await publishing
            await progress.wait_until_settled(_SETTLE_TIMEOUT_S, show)
        return time.perf_counter() - started, bulk

    async def _steady(self, sender: Publisher, progress: Progress) -> list[float]:
        """The last baskets of the year at a till's pace: milliseconds from sending each to its event of the books."""
        first = self._year.baskets.height - self._steady_baskets
        async with VisibleClock.listening(self._environment["BONUS_KAFKA_BOOTSTRAP"]) as clock:
            outgoing = clock.stamped(messages.purchases(self._year, _now, first))
            await sender.publish_steadily(outgoing, STEADY_PER_SECOND)
            await progress.wait_until_settled(_SETTLE_TIMEOUT_S, _nothing)
            return clock.elapsed_ms()

    async def _spend(self, ledger: httpx.AsyncClient, expected: dict[int, Household]) -> list[float]:
        """500 redemptions from 50 connections at once; every one must be accepted. Gives their latencies."""
        asked = traffic.wishes(expected, datetime.now(UTC))
        await self._leave_an_address(asked[0].household_id)
        answered_wishes = await traffic.redeem(ledger, asked)
        accepted = sorted(
            (
                (datetime.fromisoformat(answers.checked(response)["recorded_at"]), wish)
                for wish, response in answered_wishes
            ),
            key=lambda pair: pair[0],
        )
        for at, wish in accepted:
            expected[wish.household_id].redeem(wish.points, at)
        return [response.elapsed.total_seconds() * 1_000 for _, response in answered_wishes]

    async def _leave_an_address(self, household_id: int) -> None:
        """One member wants to hear of what happens: the redemption that follows is told by mail."""
        async with self._client("NOTIFIER") as notifier:
            address = {"email": f"household-{household_id}@example.com", "name": f"Household {household_id}"}
            path = f"/v1/members/{traffic.member_id(household_id)}/contacts"
            answers.checked(await notifier.put(path, json=address))

    async def _bring_back(
        self, sender: Publisher, progress: Progress, expected: dict[int, Household]
    ) -> list[traffic.Comeback]:
        """A hundred baskets come back."""
        brought = traffic.comebacks(self._year)
        at = datetime.now(UTC)
        await sender.publish(traffic.return_messages(brought, at))
        await progress.wait_until_settled(_SETTLE_TIMEOUT_S, _nothing)
        for each in brought:
            expected[each.household_id].take_back(each.purchase_id, each.points, each.spend, at)
        return brought

    @property
    def _steady_baskets(self) -> int:
        return min(STEADY_BASKETS, self._year.baskets.height // _STEADY_SHARE)

    @asynccontextmanager
    async def _progress(self) -> AsyncIterator[Progress]:
        connection = await asyncpg.connect(self._environment["BONUS_POSTGRES_DSN"])
        consumer = AIOKafkaConsumer(bootstrap_servers=self._environment["BONUS_KAFKA_BOOTSTRAP"])
        await consumer.start()
        try:
            yield Progress(connection, consumer)
        finally:
            await consumer.stop()
            await connection.close()

    def _publisher(self) -> AbstractAsyncContextManager[Publisher]:
        return publisher(self._environment["BONUS_KAFKA_BOOTSTRAP"])

    def _client(self, service: str) -> httpx.AsyncClient:
        return client(self._environment, service)


def client(environment: Mapping[str, str], service: str) -> httpx.AsyncClient:
    """An HTTP client of one service, with the token that the environment holds."""
    return httpx.AsyncClient(
        base_url=environment[f"BONUS_{service}_URL"],
        headers={"Authorization": f"Bearer {environment['BONUS_TOKEN']}"},
        timeout=30,
        limits=httpx.Limits(max_connections=traffic.CONNECTIONS, max_keepalive_connections=traffic.CONNECTIONS),
        trust_env=False,
    )


async def publish_programme(rules: httpx.AsyncClient, starts_at: datetime) -> dict[str, Any]:
    """Draft the demo's programme from its file and publish it, in force from before the year."""
    draft = answers.checked(
        await rules.post(
            f"/v1/programmes/{PROGRAMME}/versions",
            content=PROGRAMME_FILE.read_bytes(),
            headers={"Content-Type": "application/yaml", "Idempotency-Key": "demo-draft"},
        )
    )
    return answers.checked(
        await rules.post(
            f"/v1/programmes/{PROGRAMME}/versions/{draft['version']}/publish",
            json={"starts_at": starts_at.isoformat()},
            headers={"Idempotency-Key": "demo-publish"},
        )
    )


def _now() -> datetime:
    return datetime.now(UTC)


async def _nothing() -> None:
    """Do nothing between two looks."""
