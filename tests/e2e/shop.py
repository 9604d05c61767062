"""A programme that runs in a system, and its members: the verbs in which the cases are told."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx

from contracts.envelope import DEFAULT_TENANT
from contracts.ids import account_of, member_of_event
from tests.e2e import till
from tests.e2e.system import System
from tests.e2e.till import ENROLMENT_SOURCE, Fields

WARSAW: Final = ZoneInfo("Europe/Warsaw")
LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)
NOON: Final = datetime(2025, 3, 5, 12, tzinfo=WARSAW)
"""A day of shopping like any other."""

_PAGE: Final = "500"
_keys = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account has in one currency, as people read it."""

    pending: str = "0.00"
    available: str = "0.00"
    held: str = "0.00"
    debt: str = "0.00"


@dataclass(frozen=True, slots=True)
class Shop:
    """A programme, published in a system."""

    system: System
    programme: str
    money: str

    async def publish(self, text: str, starts_at: datetime | None = None) -> dict[str, Any]:
        """Draft a file as the next version and publish it; without `starts_at` it starts as soon as it may."""
        rules = self.system.http("rules")
        versions = f"/v1/programmes/{self.programme}/versions"
        headers = {"Content-Type": "application/yaml", **key()}
        draft = checked(await rules.post(versions, content=text.encode(), headers=headers))
        body = {} if starts_at is None else {"starts_at": starts_at.isoformat()}
        published: dict[str, Any] = checked(
            await rules.post(f"{versions}/{draft['version']}/publish", json=body, headers=key())
        )
        return published

    def member(self, name: str) -> "Member":
        """Who holds the card of this name; the ids are those that an enrolment makes."""
        card = f"{self.programme}-{name}"
        member_id = member_of_event(DEFAULT_TENANT, ENROLMENT_SOURCE, f"enrol-{card}")
        return Member(self, card, member_id, account_of(DEFAULT_TENANT, self.programme, member_id))

    async def enrol(self, name: str, at: datetime = LONG_AGO, **facts: object) -> "Member":
        """A member joins under the card of this name."""
        member = self.member(name)
        await self.system.send(till.enrolment(self.programme, member.card, at, now(), f"enrol-{member.card}", facts))
        return member

    async def refusals(self) -> list[dict[str, Any]]:
        """The operators' list of this programme, latest first."""
        params = {"programme": self.programme, "limit": _PAGE}
        found = checked(await self.system.http("rules").get("/v1/refusals", params=params))
        return list(found["refusals"])

    async def verdict(self, purchase_id: str) -> dict[str, Any]:
        """What became of a purchase, as `GET /v1/purchases/{id}` tells."""
        place = f"/v1/purchases/{purchase_id}"
        found: dict[str, Any] = checked(
            await self.system.http("rules").get(place, params={"programme": self.programme})
        )
        return found


@dataclass(frozen=True, slots=True)
class Member:
    """Who holds a card."""

    shop: Shop
    card: str
    member_id: UUID
    account_id: UUID

    def purchase(
        self,
        purchase_id: str,
        at: datetime,
        *lines: str | Fields,
        payments: Sequence[Fields] | None = None,
        **fields: object,
    ) -> till.Outgoing:
        """A purchase under this card, as the till sends it."""
        shop = self.shop
        data = till.purchase_data(
            shop.programme, purchase_id, self.card, at, lines, payments=payments, currency=shop.money
        )
        return till.purchase(data | fields, now())

    async def buy(
        self,
        purchase_id: str,
        at: datetime,
        *lines: str | Fields,
        payments: Sequence[Fields] | None = None,
        **fields: object,
    ) -> None:
        """Publish a purchase."""
        await self.shop.system.send(self.purchase(purchase_id, at, *lines, payments=payments, **fields))

    async def learns(self, known_at: datetime, **facts: object) -> None:
        """Publish facts about the member."""
        await self.shop.system.send(till.news(self.shop.programme, self.card, known_at, now(), facts))

    async def bring_back(
        self,
        return_id: str,
        purchase_id: str,
        at: datetime,
        *lines: tuple[int, str, str],
        refunds: Sequence[Fields] | None = None,
    ) -> None:
        """Publish a return of lines: (number, quantity, amount)."""
        data = till.return_data(self.shop.programme, return_id, purchase_id, at, lines, refunds)
        await self.shop.system.send(till.returned(data, now()))

    async def grant(self, name: str, *grants: Fields) -> None:
        """Award points as rules would, in lots with dates of their own."""
        shop = self.shop
        await shop.system.send(till.award(shop.programme, name, self.account_id, self.member_id, now(), grants))

    async def redeem(self, points: str, *, currency: str = "points", **body: str) -> httpx.Response:
        """Spend points over HTTP."""
        place = f"/v1/accounts/{self.account_id}/redemptions"
        return await self._books.post(place, json={"currency": currency, "points": points, **body}, headers=key())

    async def account(self) -> dict[str, Any]:
        """The account, as the books tell it."""
        found: dict[str, Any] = checked(await self._books.get(f"/v1/accounts/{self.account_id}"))
        return found

    async def balance(self, currency: str = "points") -> Balance:
        """The balance in one currency; of an account that has none yet, nothing."""
        balances = (await self.account())["balances"]
        found = balances[currency]
        return Balance(found["pending"], found["available"], found["held"], found["debt"])

    async def tier(self) -> dict[str, Any] | None:
        """The tier, and how far it is to the next."""
        return (await self.account())["tier"]  # type: ignore[no-any-return]  # JSON

    async def lots(self, state: str = "all") -> list[dict[str, Any]]:
        """Every lot, oldest first."""
        return await self._all("lots", state=state)

    async def statement(self) -> list[dict[str, Any]]:
        """Every line of the statement, newest first."""
        return await self._all("statement")

    async def events(self) -> list[dict[str, Any]]:
        """Every event of the account, oldest first."""
        return await self._all("events")

    async def event_types(self) -> list[str]:
        """What happened to the account, in a word each: `points.accrued`."""
        return [event["type"].removeprefix("bonus.").removesuffix(".v1") for event in await self.events()]

    @property
    def _books(self) -> httpx.AsyncClient:
        return self.shop.system.http("ledger")

    async def _all(self, what: str, **query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            params = query | {"limit": _PAGE} | ({"cursor": cursor} if cursor else {})
            page = checked(await self._books.get(f"/v1/accounts/{self.account_id}/{what}", params=params))
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found


async def open_shop(system: System, text: str, starts_at: datetime = LONG_AGO) -> Shop:
    """Publish a programme's first version from its file; unless told otherwise it has run since long ago."""
    shop = Shop(system, _said(text, "programme"), _said(text, "money"))
    await shop.publish(text, starts_at)
    return shop


def programme(name: str, *rules: str, scale: int = 2, more: str = "", **currency: str) -> str:
    """Write a programme file with one currency; `rules` and `more` stand in it as they are."""
    words = {"scale": str(scale), "worth": "1.00"} | currency
    earn = "".join(f"  - {{{rule}}}\n" for rule in rules)
    points = ", ".join(f"{word}: {value}" for word, value in words.items())
    return (
        f"programme: {name}\nzone: Europe/Warsaw\nmoney: PLN\ncurrencies:\n  points: {{{points}}}\n{more}earn:\n{earn}"
    )


async def shop_with_member(system: System, text: str) -> tuple[Shop, Member]:
    """Publish a programme, and let one member join."""
    shop = await open_shop(system, text)
    return shop, await shop.enrol("anna")


def key() -> dict[str, str]:
    """A header with an Idempotency-Key that no other request has."""
    return {"Idempotency-Key": f"test-{next(_keys)}"}


def checked(response: httpx.Response) -> Any:
    """The JSON of a good answer; what came instead fails the test with its words."""
    assert response.is_success, f"{response.request.method} {response.request.url}: {response.text}"
    return response.json()


def now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def _said(text: str, word: str) -> str:
    row = next(row for row in text.splitlines() if row.startswith(f"{word}:"))
    return row.removeprefix(f"{word}:").strip()
