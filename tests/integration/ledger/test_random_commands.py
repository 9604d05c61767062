"""Hundreds of commands at random: whatever comes in whatever order, twice or late, the state is what replay makes."""

import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts import ids
from contracts.shards import SHARDS
from services.ledger.verify.plan import Plan
from services.ledger.verify.run import verify_shards
from tests.integration.ledger.conftest import (
    NOW,
    POINTS,
    PROGRAMME,
    Api,
    Books,
    Event,
    Member,
    accrual,
    award,
    cloud_event,
    days,
)

COMMANDS = 250
CURRENCIES = (POINTS, POINTS, POINTS, "miles")
POLICIES = ("pending_only", "to_zero", "negative")


class Chaos:
    """A few members, and everything that can happen to their points."""

    def __init__(self, books: Books, api: Api, seed: int) -> None:
        self.books = books
        self.api = api
        self.chance = random.Random(seed)  # noqa: S311 - the same commands every time
        self.members = [Member() for _ in range(4)]
        self.sent: list[Event] = []
        self.accruals: list[tuple[Member, str]] = []
        self.purchases: list[tuple[Member, UUID]] = []
        self.redemptions: list[tuple[Member, str]] = []
        self.holds: list[tuple[Member, str]] = []
        self.statuses: set[int] = set()
        self.revision = 0

    @property
    def now(self) -> datetime:
        """The books' clock."""
        return self.books.clock.now

    async def step(self, number: int) -> None:
        """One thing happens, and sometimes time passes."""
        kinds: list[Callable[[int], Awaitable[None]]] = [
            self.earn, self.earn, self.earn, self.take_back, self.redeem, self.hold, self.finish_hold, self.undo,
            self.buy, self.bring_back, self.adjust, self.operate, self.transfer, self.again, self.tier, self.over_kafka,
        ]  # fmt: skip
        if self.chance.random() < 0.05:
            kinds = [self.merge, self.close, self.erase, self.govern]
        await self.chance.choice(kinds)(number)
        if self.chance.random() < 0.4:
            self.books.clock.now += timedelta(seconds=self.chance.choice([1, 600, 86_400, 86_400 * 20]))
        if self.chance.random() < 0.1:
            await self.books.sweep(self.chance.choice(self.members))
        if self.chance.random() < 0.2:
            await self.books.deliver()

    def member(self) -> Member:
        """One of them."""
        return self.chance.choice(self.members)

    def points(self) -> int:
        """A few points, in the smallest unit."""
        return self.chance.choice([1, 50, 1_00, 7_77, 50_00])

    async def send(self, *events: Event) -> None:
        """Have events taken in, now and perhaps again later."""
        self.sent += events
        await self.books.take(*events)

    async def earn(self, number: int) -> None:
        """Accruals, back-dated or not, pending or not, expiring or not."""
        batch = []
        for index in range(self.chance.choice([1, 1, 2, 6])):
            member, cause = self.member(), f"p{number}-{index}"
            at = self.now - days(self.chance.choice([0, 0, 3, 100]))
            active = self.chance.choice([None, at + days(2), at + days(30)])
            expires = self.chance.choice([None, at + days(31), at + days(120)])
            currency = self.chance.choice(CURRENCIES)
            self.accruals.append((member, cause))
            event = accrual(
                member, cause, self.points(), at=at, activates_at=active, expires_at=expires, currency=currency
            )
            if currency == "miles":
                event["data"]["grants"][0]["inactivity"] = {"days": 35, "notice_days": 10, "zone": "Europe/Warsaw"}
            batch.append(event)
        await self.send(*batch)

    async def take_back(self, number: int) -> None:
        """A return of something earned, or of something that comes later or never."""
        member, cause = self.chance.choice(self.accruals or [(self.member(), "later")])
        if self.chance.random() < 0.2:
            member, cause = self.member(), f"p{number + 2}-0"
        accrual_id = ids.command_of("bonus.points.accrue.v1", ids.decision_of(member.account, cause))
        event = award(
            "bonus.points.reverse.v1", member, f"return {number}", self.now, accrual_id=str(accrual_id),
            source={"kind": "return", "id": f"r{number}"}, currency=self.chance.choice(CURRENCIES),
            points=self.points(), spent_policy=self.chance.choice(POLICIES),
        )  # fmt: skip
        await self.send(event)

    async def post(self, path: str, body: Any, key: str | None = None) -> dict[str, Any]:
        """Ask over HTTP; nothing may fail."""
        answer = await self.api.post(path, body, key)
        self.statuses.add(answer.status_code)
        content: dict[str, Any] = answer.json()
        return content if answer.status_code == 201 else {}

    def amount(self) -> dict[str, str]:
        """A currency and points of it."""
        return {"currency": self.chance.choice(CURRENCIES), "points": f"{self.points() / 100:.2f}"}

    async def redeem(self, number: int) -> None:
        """Spend, sometimes asking twice."""
        member, body = self.member(), self.amount()
        for _ in range(self.chance.choice([1, 2])):
            done = await self.post(f"/accounts/{member.account}/redemptions", body, f"k{number}")
        if done:
            self.redemptions.append((member, done["redemption_id"]))

    async def hold(self, number: int) -> None:
        """Set aside."""
        member = self.member()
        body = self.amount() | {"time_out_s": self.chance.choice([60, 86_400 * 5])}
        done = await self.post(f"/accounts/{member.account}/holds", body, f"k{number}")
        if done:
            self.holds.append((member, done["hold_id"]))

    async def finish_hold(self, number: int) -> None:
        """Capture or release one of the holds."""
        if not self.holds:
            return
        member, hold = self.chance.choice(self.holds)
        path = f"/accounts/{member.account}/holds/{hold}"
        if self.chance.random() < 0.3:
            await self.post(f"{path}/release", None, f"k{number}")
        else:
            points = self.chance.choice([None, "0.50", "1.00"])
            body = {"points": points, "partial": self.chance.choice(["keep", "release"])}
            await self.post(f"{path}/capture", body, f"k{number}")

    async def undo(self, number: int) -> None:
        """Give back of a redemption."""
        if self.redemptions:
            member, redemption = self.chance.choice(self.redemptions)
            body = {"points": self.chance.choice([None, "0.50"])}
            await self.post(f"/accounts/{member.account}/redemptions/{redemption}/reversals", body, f"k{number}")

    async def buy(self, number: int) -> None:
        """A purchase says that it was paid with points."""
        member = self.member()
        hold = next((each for who, each in reversed(self.holds) if who is member), None)
        redemption = next((each for who, each in self.redemptions if who is member), None)
        event = award(
            "bonus.purchase.redeem.v1", member, f"buy {number}", self.now - timedelta(seconds=90),
            source={"kind": "purchase", "id": f"b{number}"}, currency=POINTS, scale=2, points=self.points(),
            hold_id=self.chance.choice([None, hold]), redemption_id=self.chance.choice([None, redemption]),
            unbacked=self.chance.choice(["to_zero", "negative", "refuse"]),
        )  # fmt: skip
        self.purchases.append((member, UUID(event["data"]["command_id"])))
        await self.send(event)

    async def bring_back(self, number: int) -> None:
        """Goods paid with points come back."""
        if self.purchases:
            member, purchase = self.chance.choice(self.purchases)
            event = award(
                "bonus.redemption.restore.v1", member, f"back {number}", self.now, redemption_id=str(purchase),
                source={"kind": "return", "id": f"g{number}"}, currency=POINTS, points=self.points(),
                restore_for_s=self.chance.choice([0, 86_400 * 7]),
            )  # fmt: skip
            await self.send(event)

    async def adjust(self, number: int) -> None:
        """An operator corrects."""
        member, sign = self.member(), self.chance.choice(["", "-"])
        body = self.amount()
        body["points"] = sign + body["points"]
        options = {"reason": "correction", "allow_debt": self.chance.random() < 0.5}
        await self.post(f"/accounts/{member.account}/adjustments", body | options, f"k{number}")

    async def operate(self, number: int) -> None:
        """An operator freezes and unfreezes."""
        what = self.chance.choice(["freeze", "unfreeze", "unfreeze"])
        await self.post(f"/accounts/{self.member().account}/{what}", {"reason": "check"}, f"k{number}")

    async def transfer(self, number: int) -> None:
        """Points go to another member."""
        sender, receiver = self.member(), self.member()
        body = self.amount() | {"to_account_id": str(receiver.account)}
        await self.post(f"/accounts/{sender.account}/transfers", body, f"k{number}")

    async def merge(self, number: int) -> None:
        """Two accounts turn out to be one person's."""
        survivor, gone = self.chance.sample(self.members, 2)
        event = award(
            "bonus.accounts.merge.v1", survivor, f"merge {number}", self.now, from_account_id=str(gone.account),
            from_member_id=str(gone.member_id),
        )  # fmt: skip
        await self.send(event)

    async def close(self, number: int) -> None:
        """A member leaves; another takes the place."""
        await self.post(f"/accounts/{self.leave().account}/close", {"reason": "wish"}, f"k{number}")

    async def erase(self, _: int) -> None:
        """A member wants to be forgotten; another takes the place."""
        gone = self.leave()
        data = {
            "account_id": str(gone.account), "member_id": str(gone.member_id), "programme": PROGRAMME,
            "effective_at": self.now.isoformat(),
        }  # fmt: skip
        await self.send(cloud_event("bonus.member.erased.v1", data))

    def leave(self) -> Member:
        """Somebody who may still be sent something, beside a new member."""
        gone = self.member()
        self.members.append(Member())
        return gone

    async def govern(self, _: int) -> None:
        """The programme changes its limits, or stops for a while."""
        self.revision += 1
        limits = {"currency": POINTS, "per_day": self.chance.choice([None, 3]), "step": self.chance.choice([None, 50])}
        version = {
            "version": 1, "starts_at": "2020-01-01T00:00:00Z", "zone": "Europe/Warsaw", "money": "PLN",
            "currencies": [{"currency": POINTS, "scale": 2, "worth": "1.00"}], "redemption": limits,
            "debt_allowed": self.chance.random() < 0.5, "transfer_month": self.chance.choice([None, 20_00]),
        }  # fmt: skip
        pause = {"starts_at": self.now.isoformat(), "ends_at": (self.now + timedelta(hours=3)).isoformat()}
        suspensions = self.chance.choice([[], [pause]])
        await self.books.publish_state(
            {"programme": PROGRAMME, "revision": self.revision, "versions": [version], "suspensions": suspensions}
        )

    async def again(self, _: int) -> None:
        """What came before comes again, in any order."""
        await self.books.take(*self.chance.sample(self.sent, min(len(self.sent), 5)))

    async def tier(self, number: int) -> None:
        """Rules say where the member stands."""
        member, tier = self.member(), self.chance.choice([None, "silver", "gold"])
        event = award(
            "bonus.tier.change.v1", member, f"tier {number}", self.now, tier=tier, previous=None,
            since=self.now.isoformat(), reason="reached", standing={"tier": tier, "qualifying": number},
        )  # fmt: skip
        await self.send(event)

    async def over_kafka(self, number: int) -> None:
        """A till that has no HTTP."""
        common = {"key": f"k{number}", "account_id": str(self.member().account), "programme": PROGRAMME}
        await self.send(cloud_event("bonus.points.redeem.v1", common | self.amount()))


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_replay_is_the_state_after_anything(books: Books, api: Api, database: str, seed: int) -> None:
    """All kinds of commands, redelivered, with clock steps and sweeps between: verification finds nothing."""
    chaos = Chaos(books, api, seed)
    for number in range(COMMANDS):
        await chaos.step(number)
    await books.deliver()
    report = await verify_shards(database, range(SHARDS), Plan(now=chaos.now))
    assert report.differences == []
    assert report.events > COMMANDS
    assert chaos.statuses <= {201, 404, 409, 410, 422}
    for member in chaos.members:
        before = (await api.get(f"/accounts/{member.account}")).json()
        await books.sweep(member)
        assert (await api.get(f"/accounts/{member.account}")).json() == before
    assert (await verify_shards(database, range(SHARDS), Plan(now=chaos.now))).differences == []
    assert chaos.now > NOW
