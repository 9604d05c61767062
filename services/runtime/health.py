"""Whether a process lives and is ready for work: checks by name, each with the reason why not."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from services.runtime.consumer import ConsumerLoop
from services.runtime.gate import ShardGate
from services.runtime.postgres import Pool, is_world_fault
from services.runtime.relay import Relay

Check = Callable[[], Awaitable[str | None]]
"""Gives the reason why something is not ready, or None."""

CHECK_TIMEOUT_S: Final = 2.0


class Health:
    """The checks of one process. It lives as long as it answers at all; it is ready when every check says so."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def add(self, name: str, check: Check) -> None:
        """Add a check under a name that operators read."""
        self._checks[name] = check

    async def problems(self) -> dict[str, str]:
        """What is not ready, by name; empty: everything is."""
        reasons = await asyncio.gather(*(_answer(check) for check in self._checks.values()))
        return {name: reason for name, reason in zip(self._checks, reasons, strict=True) if reason is not None}


async def _answer(check: Check) -> str | None:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return await check()
    except TimeoutError:
        return f"no answer within {CHECK_TIMEOUT_S:g} s"
    except Exception as error:
        if not is_world_fault(error):
            raise
        return type(error).__name__


def postgres_answers(pool: Pool) -> Check:
    """Ready when Postgres answers in the service's role and schema."""

    async def check() -> str | None:
        await pool.fetchval("select 1")
        return None

    return check


def commits_move(gate: ShardGate, stuck_after_s: float) -> Check:
    """Ready unless a transaction was begun since the last commit and that is long ago."""

    async def check() -> str | None:
        if gate.opened_at <= gate.committed_at:
            return None
        silent_s = time.monotonic() - gate.committed_at
        return f"no commit for {silent_s:.0f} s" if silent_s > stuck_after_s else None

    return check


def consumer_joined(loop: ConsumerLoop) -> Check:
    """Ready when the consumer is a member of its group and no partition waits for a person or a release."""

    async def check() -> str | None:
        if not loop.joined:
            return "not yet a member of its group"
        waiting = {reason: count for reason, count in loop.waiting_for.items() if reason != "world"}
        return ", ".join(f"{count} partitions wait: {reason}" for reason, count in waiting.items()) or None

    return check


def relay_runs(relay: Relay, stuck_after_s: float) -> Check:
    """Ready unless this relay is the active one and has sent nothing for long, though there is something to send.

    One that stands by is ready: another is active.
    """

    async def check() -> str | None:
        silent_s = time.monotonic() - relay.progress_at
        if relay.active and relay.lag and silent_s > stuck_after_s:
            return f"nothing sent for {silent_s:.0f} s, {relay.lag} entries wait"
        return None

    return check
