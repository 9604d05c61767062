"""Decisions a second of one core: from the bytes of an identified receipt to the row with its sealed explanation.

Run: python -m tests.benchmarks.rules_decisions [baskets] [profile]. Prints JSON; exit 1 if a limit is missed.
Everything that the worker's processor does is done, in batches, but for the two programs around it: the bytes come from
memory instead of Kafka, and the rows, made ready for COPY, go nowhere. Processor time, so that other work on the
machine does not count. With `profile` the functions that take the most time follow.
"""

import asyncio
import cProfile
import gc
import json
import pstats
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Any, Final
from uuid import UUID

import orjson

from contracts import ids
from contracts.envelope import DEFAULT_TENANT
from examples.demo import messages
from examples.demo.dataset import Year
from examples.demo.dataset import load as load_year
from services.rules.decide.batch import Batch, Loaded
from services.rules.decide.readings import read_content
from services.rules.decide.storage import Seat, Storage
from services.rules.domain.participant import PublishedProgramme
from services.rules.programme_file import compile_programme
from services.runtime.privacy import Cipher
from services.runtime.rows import Table
from tests.benchmarks.rules_evaluation import NOW, with_idle_campaigns

FILE: Final = Path(__file__).parents[2] / "examples" / "programmes" / "bronze-silver-gold.yaml"
BASKETS: Final = 10_000
BATCH: Final = 500
LEAST_PER_SECOND: Final = 1_000
MOST_TIMES_WITH_IDLE_CAMPAIGNS: Final = 2.0
_DECIDED_AT: Final = NOW + timedelta(hours=1)
_PROFILED_FUNCTIONS: Final = 25


@dataclass(slots=True)
class Sink:
    """Where rows go instead of a table: they are made, and counted."""

    rows: int = 0
    shard: int = 0
    now: datetime = _DECIDED_AT

    async def add(self, _table: Table, rows: Sequence[Any]) -> None:
        """Count the rows."""
        self.rows += len(rows)


class Keys:
    """One key for everybody: sealing takes as long with one as with many."""

    def __init__(self) -> None:
        self._cipher = Cipher(bytes(32))

    def of(self, _member_id: UUID) -> Cipher:
        """The key of a member."""
        return self._cipher


class Everybody(Collection[UUID]):
    """Nobody was erased."""

    def __contains__(self, _member_id: object) -> bool:
        return True

    def __iter__(self) -> Iterator[UUID]:
        return iter(())

    def __len__(self) -> int:
        return 0


class Counter:
    """Participants of a programme in memory, who are decided about batch by batch as the worker does it."""

    def __init__(self, text: str, year: Year) -> None:
        version = replace(compile_programme(text), version=1, starts_at=year.starts_at - timedelta(days=1))
        self._programmes = {(DEFAULT_TENANT, version.key): PublishedProgramme(version.key, (version,))}
        self._programme = version.key
        self._seats: dict[UUID, Seat] = {}
        self._storage = Storage()
        self.sink = Sink()
        self.decide([self._joined(household, year.starts_at) for household in year.households])

    def receipts(self, year: Year) -> list[bytes]:
        """Every purchase of the year as identification publishes it."""
        return [self._receipt(orjson.loads(each.value)["data"]) for each in messages.purchases(year, lambda: NOW)]

    def decide(self, group: Sequence[bytes]) -> None:
        """One batch: read, decide, make what the ledger is told and the rows."""
        readings = [read_content(orjson.loads(each), DEFAULT_TENANT, None) for each in group]
        batch = Batch(Loaded(Everybody(), self._programmes, self._seats, set()), _DECIDED_AT)
        for reading in readings:
            batch.decide(reading)
        keys: Any = Keys()
        transaction: Any = self.sink
        asyncio.run(self._storage.add_decisions(transaction, batch.changes.decisions, keys))

    def _holder(self, card: str) -> dict[str, Any]:
        member = ids.derive("member", card)
        account = ids.account_of(DEFAULT_TENANT, self._programme, member)
        return {"account_id": str(account), "member_id": str(member), "programme": self._programme, "card_category": ""}

    def _joined(self, household: int, at: datetime) -> bytes:
        card = messages.card_of(household)
        enrolment = {"programme": self._programme, "enrolled_at": at, "identifiers": [{"type": "card", "value": card}]}
        data = {"holder": self._holder(card), "enrolment": enrolment}
        return orjson.dumps({"type": "bonus.participant.enrolled.v1", "id": card, "data": data})

    def _receipt(self, purchase: dict[str, Any]) -> bytes:
        key = ids.purchase_key(DEFAULT_TENANT, self._programme, purchase["purchase_id"])
        holder = self._holder(purchase["member"]["value"])
        data = {"purchase_key": str(key), "holder": holder, "first_seen_at": NOW, "purchase": purchase}
        return orjson.dumps({"type": "bonus.receipt.identified.v1", "id": purchase["purchase_id"], "data": data})


def per_second(text: str, year: Year, profile: cProfile.Profile | None = None) -> float:
    """Decisions a second of processor time, over all baskets in the order of their time."""
    counter = Counter(text, year)
    receipts = counter.receipts(year)
    enrolled = counter.sink.rows
    gc.collect()
    started = process_time()
    if profile is not None:
        profile.enable()
    for first in range(0, len(receipts), BATCH):
        counter.decide(receipts[first : first + BATCH])
    if profile is not None:
        profile.disable()
    seconds = process_time() - started
    if counter.sink.rows - enrolled != len(receipts):
        raise AssertionError(f"{counter.sink.rows - enrolled} rows of {len(receipts)} receipts")
    return len(receipts) / seconds


def main() -> int:
    """Measure, print, judge."""
    wanted = sys.argv[1:]
    count = next((int(word) for word in wanted if word.isdecimal()), BASKETS)
    year = load_year(NOW, count)
    text = FILE.read_text(encoding="utf-8")
    # The file's categories in the words of the data, so that exclusions and multipliers are at work.
    text = text.replace("'dairy'", "'PRODUCE'").replace("'tobacco'", "'FUEL'")
    plain = max(per_second(text, year) for _ in range(2))
    idle = max(per_second(with_idle_campaigns(text), year) for _ in range(2))
    figures = {
        "decisions_per_second": round(plain),
        "decisions_per_second_with_50_campaigns": round(idle),
        "baskets": year.baskets.height,
        "lines_per_basket": round(year.lines.height / year.baskets.height, 2),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    print(json.dumps(figures, indent=2))  # noqa: T201  # a benchmark is read on the terminal
    if "profile" in wanted:
        profile = cProfile.Profile(process_time)
        per_second(text, year, profile)
        pstats.Stats(profile).sort_stats("tottime").print_stats(_PROFILED_FUNCTIONS)
    return int(plain < LEAST_PER_SECOND or idle * MOST_TIMES_WITH_IDLE_CAMPAIGNS < plain)


if __name__ == "__main__":
    sys.exit(main())
