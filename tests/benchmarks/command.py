"""`make bench`: throughput, latency and memory on this machine, each against a limit taken in the same run.

Writes build/bench.json and build/bench.png. The stack is its own, under .local/bench, and is removed at the end.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import psutil
import typer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from rich.console import Console

from contracts.shards import SHARDS
from deploy.local.settings import PROJECT, LocalSettings
from deploy.local.stack import Stack
from examples.demo import dataset
from examples.demo.run import Demonstration, client, publish_programme
from tests.benchmarks import account, ledger, limits, picture, proof, rules_before
from tests.benchmarks.http_load import percentiles
from tests.benchmarks.rest import at_rest

RESULT: Final = PROJECT / "build" / "bench.json"
PICTURE: Final = PROJECT / "build" / "bench.png"
YEAR_BASKETS: Final = 30_000
_MEBIBYTE: Final = 1024 * 1024
_DECISIONS: Final = ("decisions_per_second", "decisions_per_second_with_50_campaigns")
_LIMIT_TOPIC: Final = "bench.limit"

app = typer.Typer(
    pretty_exceptions_enable=False, add_completion=False, help="Measure, and write the figures to build/."
)
_console = Console(highlight=False, soft_wrap=True)


@app.callback(invoke_without_command=True)
def bench(
    baskets: Annotated[
        int, typer.Option(envvar="BASKETS", min=1_000, help="Baskets of the flow's measure.")
    ] = YEAR_BASKETS,
) -> None:
    """Measure everything; a few minutes."""
    stack = Stack(LocalSettings(dir=PROJECT / ".local" / "bench"), say=lambda line: _console.print(line, markup=False))
    stack.down(wipe=True)
    # The programme of the flow is in force at once.
    os.environ |= {"BONUS_PROGRAMME_LEAD_S": "0"}
    figures: dict[str, Any] = {"machine": _machine(), "at": datetime.now(UTC).isoformat(timespec="seconds")}
    try:
        stack.up(services=True)
        asyncio.run(_measure(stack, stack.environment(), baskets, figures))
    finally:
        stack.down(wipe=True)
        # What was measured before something failed is worth keeping.
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    picture.draw(figures, PICTURE)
    _console.print_json(data=figures)


async def _measure(stack: Stack, environment: dict[str, str], baskets: int, figures: dict[str, Any]) -> None:
    async with client(environment, "RULES") as to_rules:
        await publish_programme(to_rules, datetime.now(UTC) - timedelta(days=400))
    ingested = await _step(
        environment, "ledger: awards from Kafka to relayed events", lambda: ledger.ingest(stack, environment)
    )
    copied = await _step(
        environment,
        "limit: COPY into the same table",
        lambda: limits.copy_rows_per_second(environment["BONUS_POSTGRES_DSN"], round(ingested["body_bytes"])),
    )
    figures |= {
        "copy_rows_per_second": round(copied),
        "ledger_events_per_second": round(ingested["events_per_second"]),
        "ledger_to_copy": round(ingested["events_per_second"] / copied, 3),
    }
    figures |= await _http(stack, environment)
    figures["cost_by_history"] = await _step(
        environment,
        "ledger: microseconds an event by history",
        lambda: ledger.cost_by_history(environment["BONUS_POSTGRES_DSN"]),
    )
    figures["holds"] = await _step(
        environment,
        "ledger: holds and captures, half of them on one account",
        lambda: account.holds_and_captures(environment),
    )
    figures["long_history"] = await _step(
        environment, "ledger: an account with 100,000 lots", lambda: account.long_history(environment)
    )
    figures["verify_events_per_second"] = await _step(
        environment, "verify", lambda: proof.verify_events_per_second(environment)
    )
    figures["rebuild_events_per_second"] = await _step(
        environment, "rebuild", lambda: proof.rebuild_events_per_second(environment)
    )
    evaluation = await _step(environment, "rules: microseconds of an evaluation", lambda: _printed("rules_evaluation"))
    decisions = await _step(environment, "rules: decisions a second of one core", lambda: _printed("rules_decisions"))
    figures |= {"decisions": evaluation} | {key: decisions[key] for key in _DECISIONS}
    figures |= await _flow(environment, baskets)
    year = dataset.load(datetime.now(UTC), baskets)
    figures["quote_ms"] = await _step(
        environment,
        f"rules: quotes at {rules_before.QUOTES_PER_SECOND} a second",
        lambda: rules_before.quotes(environment, year),
    )
    figures |= await _step(
        environment, "rules: a rehearsal of the year", lambda: rules_before.rehearsal(environment, year)
    )
    figures["kafka_per_second"] = await _step(environment, "limit: produce and consume", lambda: _kafka(environment))
    figures["rss_mb"] = _memory(stack)


async def _http(stack: Stack, environment: dict[str, str]) -> dict[str, Any]:
    await _step(environment, "warm up", lambda: ledger.redemptions(environment, "warm", 1_000))
    wrote = await _step(environment, "ledger: redemptions over HTTP", lambda: ledger.redemptions(environment, "redeem"))
    read = await _step(
        environment, "ledger: balance reads while writing", lambda: ledger.reads_while_writing(stack, environment)
    )
    return {
        "http_writes_per_second": round(wrote.per_second),
        "http_write_ms": percentiles(wrote.latencies_ms),
        "http_write_statuses": {str(status): count for status, count in wrote.statuses.items()},
        "balance_read_ms": read,
    }


async def _flow(environment: dict[str, str], baskets: int) -> dict[str, Any]:
    year = dataset.load(datetime.now(UTC), baskets)
    demonstration = Demonstration(year, environment, _console)
    outcome = await _step(environment, f"flow: {baskets} real baskets from Kafka to balances", demonstration.flow)
    return {
        "purchases_per_second": round(outcome.loaded / outcome.seconds, 1),
        "purchases": outcome.loaded,
        "visible_ms": percentiles(outcome.visible_ms),
    }


async def _kafka(environment: dict[str, str]) -> dict[str, int]:
    bootstrap = environment["BONUS_KAFKA_BOOTSTRAP"]
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(_LIMIT_TOPIC, SHARDS, 1)])
    await admin.close()
    return {name: round(rate) for name, rate in (await limits.kafka_per_second(bootstrap, _LIMIT_TOPIC)).items()}


async def _printed(script: str) -> dict[str, Any]:
    """The figures that a script of this folder prints: rules by themselves, on real baskets."""
    command = [sys.executable, "-m", f"tests.benchmarks.{script}"]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def _step(environment: dict[str, str], name: str, measure: Callable[[], Any]) -> Any:
    await at_rest(environment)
    _console.print(name, markup=False)
    return await measure()


def _memory(stack: Stack) -> dict[str, float]:
    processes = {name: psutil.Process(process.pid) for name, process in stack.state().processes.items()}
    return {name: round(process.memory_info().rss / _MEBIBYTE, 1) for name, process in processes.items()}


def _machine() -> dict[str, Any]:
    return {
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / _MEBIBYTE / 1024),
        "python": sys.version.split()[0],
    }


if __name__ == "__main__":
    # The figures are about this tree, wherever the command is run from.
    os.chdir(Path(__file__).parents[2])
    app()
