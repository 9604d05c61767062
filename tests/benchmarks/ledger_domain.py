"""How long the account decider takes, in microseconds: `python tests/benchmarks/ledger_domain.py`.

Each figure is the best of several rounds, for an account with a few lots loaded, which is what a batch sees.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from contracts.awards import Accrual, Grant, Source
from services.ledger.domain.account import Account, unopened
from services.ledger.domain.commands import CaptureHold, PlaceHold, Redeem
from services.ledger.domain.decide import catch_up, handle
from services.ledger.domain.guards import UNGUARDED

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ACCOUNT = uuid4()
MEMBER = uuid4()
ROUNDS = 7
COMMANDS = 2_000


def accrual(days_ago: int, activates_after: int, expires_after: int) -> Accrual:
    """50 points, earned so long ago."""
    at = NOW - timedelta(days=days_ago)
    grant = Grant(
        currency="points",
        scale=2,
        points=5_000,
        activates_at=at + timedelta(days=activates_after),
        expires_at=at + timedelta(days=expires_after),
    )
    return Accrual(
        command_id=uuid4(), account_id=ACCOUNT, member_id=MEMBER, programme="grocer", occurred_at=at,
        decision_id=uuid4(), source=Source(kind="purchase", id="till/1"), grants=(grant,),
    )  # fmt: skip


def loaded(lots: int) -> Account:
    """An account with so many available lots, as storage gives it."""
    account = unopened(ACCOUNT, "default", "grocer", MEMBER)
    for number in range(lots):
        account = handle(account, accrual(100, 14, 300 + number), UNGUARDED, NOW).account
    return account


def best(run: Callable[[], int]) -> float:
    """Microseconds per step of the fastest round; `run` says how many steps it took."""
    figures = []
    for _ in range(ROUNDS):
        started = time.process_time()
        steps = run()
        figures.append((time.process_time() - started) / steps * 1e6)
    return min(figures)


def accruals(lots: int, commands: list[Accrual], later: timedelta) -> Callable[[], int]:
    """Each command on the same loaded account, then what it makes due."""

    def run() -> int:
        account = loaded_accounts[lots]
        for command in commands:
            outcome = handle(account, command, UNGUARDED, NOW)
            if later:
                catch_up(outcome.account, NOW + later)
        return len(commands)

    loaded_accounts.setdefault(lots, loaded(lots))
    return run


loaded_accounts: dict[int, Account] = {}


def redemptions(lots: int) -> Callable[[], int]:
    """A redemption that spans two lots."""
    account = loaded(lots)
    commands = [
        Redeem(command_id=uuid4(), account_id=ACCOUNT, occurred_at=NOW, currency="points", points=7_500)
        for _ in range(COMMANDS)
    ]

    def run() -> int:
        for command in commands:
            handle(account, command, UNGUARDED, NOW)
        return len(commands)

    return run


def holds(lots: int) -> Callable[[], int]:
    """A hold placed and captured."""
    account = loaded(lots)
    ids: list[UUID] = [uuid4() for _ in range(COMMANDS)]

    def run() -> int:
        for hold_id in ids:
            place = PlaceHold(command_id=hold_id, account_id=ACCOUNT, occurred_at=NOW, currency="points", points=7_500)
            held = handle(account, place, UNGUARDED, NOW).account
            capture = CaptureHold(command_id=uuid4(), account_id=ACCOUNT, occurred_at=NOW, hold_id=hold_id)
            handle(held, capture, UNGUARDED, NOW)
        return len(ids)

    return run


def main() -> None:
    """Print the table."""
    fresh = [accrual(0, 14, 180) for _ in range(COMMANDS)]
    old = [accrual(300, 14, 180) for _ in range(COMMANDS)]
    rows: list[tuple[str, Callable[[], int]]] = [
        ("accrue, 5 lots loaded", accruals(5, fresh, timedelta())),
        ("accrue, 1,000 lots loaded", accruals(1_000, fresh[:300], timedelta())),
        ("accrue, then activate and expire", accruals(5, fresh, timedelta(days=200))),
        ("accrue with activation and expiry past", accruals(5, old, timedelta())),
        ("redeem from 2 of 5 lots", redemptions(5)),
        ("place and capture a hold, 5 lots", holds(5)),
    ]
    for name, run in rows:
        print(f"{name:42} {best(run):8.1f} µs")  # noqa: T201  # a script's answer


if __name__ == "__main__":
    main()
