"""What the demonstration shows at its end, to a person and as data."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console
from rich.table import Table

from examples.demo import answers, traffic
from examples.demo.answers import ApiError
from examples.demo.dataset import Year
from examples.demo.messages import PROGRAMME, money
from examples.demo.run import Outcome

MISMATCHES_SHOWN: Final = 20
_STATEMENT_LINES: Final = 8


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What was measured around the run."""

    seconds: float
    verify: Mapping[str, Any]
    rss_mb: Mapping[str, float]
    mail_subject: str | None


def as_data(year: Year, outcome: Outcome, around: Surroundings) -> dict[str, Any]:
    """The content of build/demo.json: points as decimal strings, times in seconds and milliseconds."""
    totals: Counter[str] = Counter()
    for answer in outcome.answered.values():
        totals.update(answer.figures)
    figures = {
        name: money(totals[name]) for name in ("issued", "pending", "available", "redeemed", "expired", "reversed")
    }
    return {
        "purchases": year.baskets.height,
        "lines": year.lines.height,
        "accounts": len(outcome.answered),
        **figures,
        "redemptions": len(outcome.redemption_ms),
        "returns": len(outcome.returned),
        "mismatches": len(outcome.mismatches),
        "dead_letters": outcome.dead_letters,
        "verify_ok": bool(around.verify["ok"]),
        "verify": around.verify,
        "tiers": dict(Counter(answer.tier or "none" for answer in outcome.answered.values())),
        "seconds": round(outcome.flow.seconds, 1),
        "seconds_in_all": round(around.seconds, 1),
        "purchases_per_second": round(outcome.flow.loaded / outcome.flow.seconds, 1),
        "visible_ms": percentiles(outcome.flow.visible_ms),
        "redemption_ms": percentiles(outcome.redemption_ms),
        "rss_mb": dict(around.rss_mb),
        "mail": around.mail_subject,
    }


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 of the values; empty where there are none."""
    ordered = sorted(values)
    if not ordered:
        return {}
    return {
        f"p{share}": round(ordered[min(len(ordered) - 1, len(ordered) * share // 100)], 1) for share in (50, 95, 99)
    }


def write(data: Mapping[str, Any], file: Path) -> None:
    """Write the data where other programs read it."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def show_totals(console: Console, data: Mapping[str, Any]) -> None:
    """Totals, tiers and speed, in a table."""
    table = Table("", "", box=None, pad_edge=False, show_header=False)
    table.add_row("purchases, lines, members", f"{data['purchases']:,}, {data['lines']:,}, {data['accounts']:,}")
    for name in ("issued", "pending", "available", "redeemed", "expired", "reversed"):
        table.add_row(f"points {name}", data[name])
    table.add_row("members by tier", ", ".join(f"{tier} {count:,}" for tier, count in sorted(data["tiers"].items())))
    table.add_row("published to booked", f"{data['seconds']} s, {data['purchases_per_second']:,.0f} purchases a second")
    table.add_row("one purchase, sent to visible", f"{data['visible_ms']} ms at a till's pace")
    table.add_row(
        "redemptions over HTTP", f"{data['redemptions']}, {data['redemption_ms']} ms from 50 connections at once"
    )
    table.add_row("memory", ", ".join(f"{name} {size:.0f} MB" for name, size in data["rss_mb"].items()))
    table.add_row("mail", data["mail"] or "none")
    console.print(table)


def show_verdict(console: Console, outcome: Outcome, data: Mapping[str, Any]) -> None:
    """Whether every household agrees with the recomputation and the history proves itself."""
    if outcome.mismatches:
        console.print(f"[red]{len(outcome.mismatches)} differences from the recomputation:[/]")
        for mismatch in outcome.mismatches[:MISMATCHES_SHOWN]:
            console.print(f"  {mismatch}", markup=False)
    else:
        console.print(f"[green]all {data['accounts']:,} households agree with the recomputation, to the last point[/]")
    colour, word = ("green", "holds") if data["verify_ok"] else ("red", "DOES NOT HOLD")
    console.print(f"[{colour}]the history {word}[/]: {data['verify'].get('events', 0):,} events replayed")


async def show_one_household(console: Console, ledger: httpx.AsyncClient, rules: httpx.AsyncClient, year: Year) -> None:
    """The statement of one household, and its last receipt explained in words."""
    basket = year.baskets.row(-1, named=True)
    account = traffic.account_id(basket["household_id"])
    statement = answers.checked(
        await ledger.get(f"/v1/accounts/{account}/statement", params={"limit": _STATEMENT_LINES})
    )
    console.print(f"\nThe last lines of the statement of household {basket['household_id']}:")
    for line in statement["items"]:
        console.print("  " + _statement_line(line), markup=False)
    purchase = answers.checked(
        await rules.get(f"/v1/purchases/{basket['purchase_id']}", params={"programme": PROGRAMME})
    )
    words = await rules.get(
        f"/v1/decisions/{purchase['decision_id']}", headers={"Accept": "text/plain", "Accept-Language": "en"}
    )
    if not words.is_success:
        raise ApiError(words.text)
    console.print(f"\nReceipt {basket['purchase_id']} explained:")
    console.print(words.text, markup=False)


def _statement_line(line: Mapping[str, Any]) -> str:
    changes = ", ".join(f"{bucket} {points}" for bucket, points in line["changes"].items())
    return f"{line['effective_at'][:19]}  {line['type']:<30} {changes:<40} available {line['after']['available']}"
