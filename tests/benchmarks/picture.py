"""The figures as a picture: throughput against its limits, latencies, and cost by history."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

mpl.use("Agg")


def draw(figures: Mapping[str, Any], file: Path) -> None:
    """Draw build/bench.png."""
    figure = Figure(figsize=(12, 4), layout="constrained")
    throughput, latency, history = figure.subplots(1, 3)
    rates = {
        "COPY rows": figures["copy_rows_per_second"],
        "ledger events": figures["ledger_events_per_second"],
        "verify events": figures["verify_events_per_second"],
        "rebuild events": figures["rebuild_events_per_second"],
        "HTTP writes": figures["http_writes_per_second"],
        "purchases": figures["purchases_per_second"],
    }
    bars = throughput.barh(list(rates), list(rates.values()))
    throughput.bar_label(bars, fmt="{:,.0f}")
    throughput.set(title="per second", xscale="log")
    for name in ("visible_ms", "http_write_ms", "balance_read_ms"):
        latency.plot(list(figures[name]), list(figures[name].values()), marker="o", label=name.removesuffix("_ms"))
    latency.set(title="milliseconds", yscale="log")
    latency.legend()
    cost = figures["cost_by_history"]
    history.plot(list(cost), list(cost.values()), marker="o")
    history.set(title="microseconds an event, by events before", ylim=(0, None))
    figure.savefig(file, dpi=120)
