"""The books' proof: events a second that are verified, and that a rebuild finds to be in order."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any


async def verify_events_per_second(environment: Mapping[str, str]) -> int:
    """Events a second of `bonus ledger verify` over all that was booked in this run, starting of processes included."""
    seconds, report = await _timed(environment, "verify", "--no-offsets", "--json")
    return round(float(report["events"]) / seconds)


async def rebuild_events_per_second(environment: Mapping[str, str]) -> int:
    """Events a second of `bonus ledger rebuild --dry-run` over the same: nothing differs, so nothing is built."""
    seconds, report = await _timed(environment, "rebuild", "--dry-run", "--json")
    return round(float(report["events"]) / seconds)


async def _timed(environment: Mapping[str, str], *arguments: str) -> tuple[float, dict[str, Any]]:
    command = [sys.executable, "-m", "services.command", "ledger", *arguments]
    started = time.perf_counter()
    done = await asyncio.to_thread(
        subprocess.run, command, env=os.environ | dict(environment), capture_output=True, text=True, check=True
    )
    return time.perf_counter() - started, json.loads(done.stdout)
