"""The live view: published, identified, decided, booked; how far each stage is behind, and how fast it goes."""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from examples.demo.progress import Reading

STAGES: Final = ("published", "identified", "decided", "booked")
_WINDOW_S: Final = 3.0


@dataclass(slots=True)
class Stage:
    """One stage of the flow: how many messages have passed it, with the last few readings for the rate."""

    done: int = 0
    behind: int = 0
    readings: deque[tuple[float, int]] = field(default_factory=deque)

    def read(self, reading: Reading, now_s: float) -> None:
        """Take a reading; older ones than the window are forgotten."""
        self.done, self.behind = reading.taken, reading.behind
        self.readings.append((now_s, self.done))
        while now_s - self.readings[0][0] > _WINDOW_S and len(self.readings) > 2:  # noqa: PLR2004 - a rate needs two readings
            self.readings.popleft()

    @property
    def per_second(self) -> float:
        """The rate over the window."""
        (from_s, first), (to_s, last) = self.readings[0], self.readings[-1]
        return (last - first) / (to_s - from_s) if to_s > from_s else 0.0


class LiveView:
    """Draws the flow on a terminal; where there is none, a line now and then."""

    def __init__(self, console: Console, total: int, line_every_s: float = 5.0) -> None:
        self._stages = {name: Stage() for name in STAGES}
        self._total = total
        self._console = console
        self._line_every_s = line_every_s
        self._last_line_s = time.monotonic()
        self._live = Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, readings: Mapping[str, Reading], dead_letters: int) -> None:
        """Take a reading of every stage and draw it."""
        now_s = time.monotonic()
        for name, stage in self._stages.items():
            stage.read(readings[name], now_s)
        if self._live is not None:
            self._live.update(self._table(dead_letters))
        elif now_s - self._last_line_s >= self._line_every_s:
            self._last_line_s = now_s
            self._console.print("  ".join(f"{name} {stage.done:>7,}" for name, stage in self._stages.items()))

    def _table(self, dead_letters: int) -> Table:
        table = Table(title="A year of purchases on its way into balances", title_justify="left")
        for heading in ("stage", "messages", "behind", "per second"):
            table.add_column(heading, justify="left" if heading == "stage" else "right")
        table.add_column("", width=30)
        for name, stage in self._stages.items():
            bar = ProgressBar(total=max(self._total, stage.done + stage.behind), completed=stage.done, width=30)
            table.add_row(name, f"{stage.done:,}", f"{stage.behind:,}", f"{stage.per_second:,.0f}", bar)
        table.caption = f"dead letters: {dead_letters}"
        return table
