"""Statement lines as they follow from the bytes of an event."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any, Final

import orjson

from services.ledger.domain.events import Movement
from services.ledger.projections.entries import BUCKETS, LEAVING, NO_WORDS, deltas_of, in_json, why_of
from services.ledger.verify.copied import NULL, Read, escaped, instant_or_text
from services.ledger.verify.entry import Data, Entry, instant, stamp
from services.ledger.verify.replay import Replayed

Line = tuple[Any, ...]
"""In the order of the statement `entries`."""

COLUMNS: Final[Sequence[Read]] = (
    int, str, str, instant_or_text, int, str, instant_or_text, instant_or_text, int, *(int for _ in BUCKETS),
    int, int, int, int, int, str,
)  # fmt: skip


def _one_movement(source: str, target: str) -> tuple[str, int, int]:
    """How the deltas of a single movement are written, and by what its points are multiplied, in their order."""
    changed = {LEAVING[source][0]: LEAVING[source][1], LEAVING[target][0]: -LEAVING[target][1]}
    first, second = sorted(changed)
    pattern = "\t".join("%d" if place in changed else NULL for place in range(len(BUCKETS)))
    return pattern, changed[first], changed[second]


_ONE_MOVEMENT: Final = {(source, target): _one_movement(source, target) for source, target in permutations(BUCKETS, 2)}


def expected_lines(entry: Entry, movements: Sequence[Movement], replayed: Replayed) -> list[Line]:
    """The lines of an event, one for each currency in which it moved points; `replayed` is its account after it."""
    data = entry.data
    if not data.balances:
        return []
    effective_at = instant(data.effective_at)
    return [
        (
            entry.position, currency, entry.account_id, replayed.known_at, data.version, entry.type, effective_at,
            entry.recorded_at, after.scale, *deltas_of(movements, currency), after.pending, after.available,
            after.held, after.in_transit, after.debt, _why(data, currency),
        )
        for currency, after in sorted(data.balances.items())
    ]  # fmt: skip


def expected_texts(entry: Entry, movements: Sequence[Movement], replayed: Replayed) -> Sequence[str]:
    """The same lines, as they are copied out."""
    data = entry.data
    balances, recorded = data.balances, entry.recorded_as
    if not balances:
        return ()
    known = recorded if replayed.known_as == entry.time else stamp(replayed.known_as)
    about = f"{entry.account_id}\t{known}\t{data.version}\t{entry.type}\t{stamp(data.effective_at)}\t{recorded}"
    return [
        f"{entry.position}\t{currency}\t{about}\t{after.scale}\t{_deltas(movements, currency)}\t{after.pending}\t"
        f"{after.available}\t{after.held}\t{after.in_transit}\t{after.debt}\t{escaped(_why(data, currency))}"
        for currency, after in (balances.items() if len(balances) == 1 else sorted(balances.items()))
    ]


def _deltas(movements: Sequence[Movement], currency: str) -> str:
    if len(movements) == 1:
        ((moved, _, source, target, points),) = movements
        if moved == currency and source != target:
            pattern, first, second = _ONE_MOVEMENT[source, target]
            return pattern % (first * points, second * points)
    return "\t".join(NULL if each is None else str(each) for each in deltas_of(movements, currency))


def _why(data: Data, currency: str) -> str:
    if data.source is None and not data.lots and not data.details:
        return NO_WORDS
    named = {"lots": data.lots, "details": data.details}
    return in_json(why_of(named if data.source is None else {"source": data.source, **named}, currency))


def wrong_in(expected: Line, found: Line) -> list[tuple[Any, Any]]:
    """Where a line differs from what it should be: what was expected and what was found."""
    *mine, why = expected
    *its, words = found
    wrong = [(one, other) for one, other in zip(mine, its, strict=True) if one != other]
    # The same words may have been written in another order by an earlier release.
    if why != words and orjson.loads(why) != orjson.loads(words):
        wrong.append((why, words))
    return wrong
