"""Awards made up for measuring: accruals as rules would send them, spread over accounts."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import orjson

from contracts.ids import account_of, command_of, decision_of, derive
from contracts.topics import AWARDS
from examples.demo.messages import PROGRAMME, Outgoing

TENANT: Final = "default"
CURRENCY: Final = "points"
_SEED: Final = 7


def account(number: int) -> UUID:
    """The account of a made-up member."""
    return account_of(TENANT, PROGRAMME, member(number))


def member(number: int) -> UUID:
    """A made-up member."""
    return derive("bench-member", str(number))


def accruals(run: str, accounts: int, count: int, points: int = 1_000_00) -> Iterator[Outgoing]:
    """`count` accruals over `accounts` accounts at random, active at once; `run` keeps their ids apart from others'."""
    chance = random.Random(_SEED)  # noqa: S311 - the same load every time, nothing secret
    at = datetime.now(UTC)
    for number in range(count):
        yield accrual(f"{run}-{number}", chance.randrange(accounts), points, at)


def accrual(cause: str, number: int, points: int, at: datetime, expires_at: datetime | None = None) -> Outgoing:
    """One accrual of one lot; it never expires unless told."""
    account_id = account(number)
    decision = decision_of(account_id, cause)
    command = command_of("accrue", decision)
    event = {
        "specversion": "1.0", "type": "bonus.points.accrue.v1", "id": str(command), "source": "urn:bench", "time": at,
        "data": {
            "command_id": command, "account_id": account_id, "member_id": member(number), "programme": PROGRAMME,
            "occurred_at": at, "decision_id": decision, "source": {"kind": "purchase", "id": cause, "store": "bench"},
            "grants": [
                {"currency": CURRENCY, "scale": 2, "points": points, "activates_at": None, "expires_at": expires_at,
                 "rules": [{"rule": "level", "points": points}]}
            ],
            "spent_policy": "to_zero",
        },
    }  # fmt: skip
    return Outgoing(AWARDS.name, str(account_id), orjson.dumps(event))
