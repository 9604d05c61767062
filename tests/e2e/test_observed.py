"""What operators see of a whole system: one trace from purchase to balance, metrics, and logs that name nobody."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from contracts.topics import PURCHASES
from deploy.local.ports import LOOPBACK
from tests.e2e.collector import Collector, Span, collector
from tests.e2e.conftest import OpenSystem
from tests.e2e.processes import SERVERS, WORKERS
from tests.e2e.shop import NOON, checked, key, now, open_shop, programme
from tests.e2e.system import System, Wishes
from tests.e2e.till import event, purchase_data

CARD: Final = "7712345678901234"
NAME: Final = "Żaneta Rozpoznawalna"
EMAIL: Final = "zaneta@rozpoznawalna.example"
PROCESSES: Final = (*WORKERS, *SERVERS, "notifier-work", "notifier-serve")
TRACE: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
TILL_SPAN: Final = "00f067aa0ba902b7"


@dataclass(frozen=True)
class Observed:
    """What was seen of a system in which a member joined, bought, spent, and somebody sent what cannot be read."""

    spans: list[Span]
    metrics: dict[str, dict[str, list[tuple[dict[str, str], float]]]]
    logs: dict[str, str]
    account_id: str


@pytest.fixture(scope="module")
async def observed(open_system: OpenSystem) -> AsyncIterator[Observed]:
    """One system, used and stopped: spans are sent at the latest when a process stops."""
    with collector() as spans:
        settings = {"BONUS_OTLP_ENDPOINT": f"http://{LOOPBACK}:{spans.port}", "BONUS_SMTP_PORT": "1"}
        async with open_system(Wishes(processes=PROCESSES, settings=settings)) as system:
            await system.start()
            account_id = await use(system)
            metrics = {name: await scraped(system, name) for name in PROCESSES}
            await system.stop()
            logs = {file.stem: file.read_text() for file in (system.processes.directory / "logs").glob("*.log")}
            yield Observed(seen(spans), metrics, logs, account_id)


def seen(spans: Collector) -> list[Span]:
    """Everything that was received."""
    return list(spans.spans)


async def use(system: System) -> str:
    """A member joins by card and mail, buys under a trace of the till's, spends; something broken comes along."""
    shop = await open_shop(system, programme("observed", "rule: base, give: 5 %"))
    enrolment = {
        "programme": shop.programme, "enrolled_at": NOON.isoformat(),
        "identifiers": [{"type": "card", "value": CARD}, {"type": "email", "value": EMAIL}],
    }  # fmt: skip
    whole = event("bonus.member.enrolled.v1", enrolment, now())
    json_body = {"Content-Type": "application/json", **key()}
    joined = checked(await system.http("rules").post("/v1/activities", content=whole, headers=json_body))
    contacts = f"/v1/members/{joined['member_id']}/contacts"
    checked(await system.http("notifier").put(contacts, json={"email": EMAIL, "name": NAME}))
    at = now() - timedelta(minutes=1)
    data = purchase_data(shop.programme, "observed-1", CARD, at, ["100.00"], currency=shop.money)
    traced = event("bonus.purchase.completed.v1", data, now(), traceparent=f"00-{TRACE}-{TILL_SPAN}-01")
    await system.send_bytes(PURCHASES.name, f"card:{CARD}", traced)
    await system.send_bytes(PURCHASES.name, f"card:{CARD}", f"not JSON, says {NAME}".encode())
    wrong = data | {"purchase_id": "observed-2", "lines": [{"line": 1, "note": EMAIL}]}
    await system.send_bytes(PURCHASES.name, f"card:{CARD}", event("bonus.purchase.completed.v1", wrong, now()))
    await system.settle()
    account_id = str(joined["account_id"])
    spent = {"currency": "points", "points": "1.00", "bill": "10.00", "redeemable": "10.00"}
    checked(await system.http("ledger").post(f"/v1/accounts/{account_id}/redemptions", json=spent, headers=key()))
    await system.http("rules").get("/v1/members", params={"identifier": f"card:{CARD}"})
    await system.http("rules").post("/v1/purchases", json={"member": {"type": "card", "value": CARD}}, headers=key())
    await system.settle()
    deliveries = f"/v1/members/{joined['member_id']}/deliveries"
    async with asyncio.timeout(30):
        # Another process does it, and tells nobody here.
        while not checked(await system.http("notifier").get(deliveries))["items"]:  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.1)
    return account_id


async def scraped(system: System, name: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    """What a process says at /metrics: samples by name, with their labels."""
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"http://{LOOPBACK}:{system.processes.port(name)}/metrics")).raise_for_status().text
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((dict(sample.labels), sample.value))
    return found


def test_one_trace_leads_from_the_purchase_to_the_balance(observed: Observed) -> None:
    """The till's own trace: each hop hangs below the one before, through Kafka, to the booking and to the member."""
    spans = {span.own: span for span in observed.spans if span.trace == TRACE}
    booked = next(span for span in spans.values() if span.name == "ledger bonus.points.accrue.v1")
    path: list[tuple[str, str]] = []
    at: Span | None = booked
    while at is not None:
        path.append((at.process, at.name))
        last, at = at, spans.get(at.parent)
    assert last.parent == TILL_SPAN
    assert path[::-1] == [
        ("bonus-rules-work", "identify bonus.purchase.completed.v1"),
        ("bonus-rules-work", "decide bonus.receipt.identified.v1"),
        ("bonus-ledger-work", "ledger bonus.points.accrue.v1"),
    ]
    told = [span for span in spans.values() if span.name == "notifier bonus.points.accrued.v1"]
    assert [span.parent for span in told] == [booked.own]


def total(samples: list[tuple[dict[str, str], float]] | None, **labels: str) -> float:
    """The sum of the samples that have these labels."""
    return sum(value for own, value in samples or [] if labels.items() <= own.items())


def test_every_process_says_what_it_does(observed: Observed) -> None:
    """Throughput and verdicts, commits, time to the balance, lag, dead letters, points, requests."""
    metrics = observed.metrics
    assert total(metrics["rules-work"]["bonus_messages_total"], processor="identify", verdict="applied") >= 1
    assert total(metrics["ledger-work"]["bonus_messages_total"], processor="ledger", verdict="applied") >= 1
    assert total(metrics["ledger-work"]["bonus_visible_seconds_count"], processor="ledger") >= 1
    assert 0 < total(metrics["ledger-work"]["bonus_visible_seconds_sum"], processor="ledger") < 600
    assert total(metrics["ledger-work"]["bonus_points_total"], programme="observed", kind="issued") == 5_00
    assert total(metrics["ledger-serve"]["bonus_points_total"], programme="observed", kind="redeemed") == 1_00
    assert total(metrics["rules-work"]["bonus_dead_letters_total"], code="not_json") == 1
    route = "/v1/accounts/{account_id}/redemptions"
    assert total(metrics["ledger-serve"]["bonus_http_seconds_count"], method="POST", route=route) == 1
    for name in ("rules-work", "ledger-work", "notifier-work"):
        assert total(metrics[name]["bonus_commit_seconds_count"]) >= 1, name
        assert total(metrics[name]["bonus_consumer_lag"]) == 0, name
        assert {labels["reason"] for labels, _ in metrics[name]["bonus_paused_partitions"]} == {
            "world", "dead_letters", "unknown_version"
        }, name  # fmt: skip
    for name in ("rules-relay", "ledger-relay"):
        assert total(metrics[name]["bonus_relay_lag"]) == 0, name
        assert total(metrics[name]["bonus_relayed_total"]) >= 1, name


def test_logs_are_structured_traced_and_hold_nothing_personal(observed: Observed) -> None:
    """Each line is JSON that names its process; requests have their trace; no card, name or address stands anywhere."""
    assert set(observed.logs) >= set(PROCESSES)
    requests: list[dict[str, Any]] = []
    for name, text in observed.logs.items():
        for line in text.splitlines():
            said = json.loads(line)
            assert (said["process"], set(said) >= {"event", "level", "timestamp"}) == (name, True), line
            requests += [said] if said["event"] == "request" else []
        for personal in (CARD, NAME, NAME.split()[1], EMAIL, observed.account_id):
            assert personal not in text, name
    assert len({each["trace_id"] for each in requests if len(each["trace_id"]) == 32}) == len(requests) > 5
