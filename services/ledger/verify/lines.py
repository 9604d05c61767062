"""Statement lines as they follow from the bytes of an event."""

from collections.abc import Sequence
from typing import Any, Final

import orjson

from services.ledger.domain.events import Movement
from services.ledger.projections.entries import BUCKETS, LEAVING, deltas_of, in_json, why_of
from services.ledger.verify.copied import NULL, Read, escaped, instant_or_text
from services.ledger.verify.entry import Entry, instant, stamp
from services.ledger.verify.replay import Replayed

Line = tuple[Any, ...]
"""In the order of the statement `entries`."""

COLUMNS: Final[Sequence[Read]] = (
    int, str, str, instant_or_text, int, str, instant_or_text, instant_or_text, int, *(int for _ in BUCKETS),
    int, int, int, int, int, str,
)  # fmt: skip

_NO_DELTAS: Final = (NULL,) * len(BUCKETS)


def expected_lines(entry: Entry, movements: Sequence[Movement], replayed: Replayed) -> list[Line]:
    """The lines of an event, one for each currency in which it moved points; `replayed` is its account after it."""
    data = entry.content["data"]
    balances = data.get("balances")
    if not balances:
        return []
    effective_at = instant(data["effective_at"])
    return [
        (
            entry.position, currency, entry.account_id, replayed.known_at, data["version"], entry.type, effective_at,
            entry.recorded_at, after["scale"], *deltas_of(movements, currency), after["pending"], after["available"],
            after["held"], after["in_transit"], after["debt"], in_json(why_of(data, currency)),
        )
        for currency, after in sorted(balances.items())
    ]  # fmt: skip


def expected_texts(entry: Entry, movements: Sequence[Movement], replayed: Replayed) -> list[str]:
    """The same lines, as they are copied out."""
    content = entry.content
    data = content["data"]
    balances = data.get("balances")
    if not balances:
        return []
    recorded = stamp(content["time"])
    known = recorded if replayed.known_as == content["time"] else stamp(replayed.known_as)
    about = f"{data['version']}\t{entry.type}\t{stamp(data['effective_at'])}\t{recorded}"
    return [
        f"{entry.position}\t{currency}\t{entry.account_id}\t{known}\t{about}\t{after['scale']}\t"
        f"{_deltas(movements, currency)}\t{after['pending']}\t{after['available']}\t{after['held']}\t"
        f"{after['in_transit']}\t{after['debt']}\t{escaped(in_json(why_of(data, currency)))}"
        for currency, after in (balances.items() if len(balances) == 1 else sorted(balances.items()))
    ]


def _deltas(movements: Sequence[Movement], currency: str) -> str:
    if len(movements) != 1:
        return "\t".join(NULL if each is None else str(each) for each in deltas_of(movements, currency))
    ((moved, _, source, target, points),) = movements
    texts = list(_NO_DELTAS)
    if moved == currency:
        place, sign = LEAVING[source]
        texts[place] = str(sign * points)
        place, sign = LEAVING[target]
        texts[place] = str(-sign * points)
    return "\t".join(texts)


def wrong_in(expected: Line, found: Line) -> list[tuple[Any, Any]]:
    """Where a line differs from what it should be: what was expected and what was found."""
    *mine, why = expected
    *its, words = found
    wrong = [(one, other) for one, other in zip(mine, its, strict=True) if one != other]
    # The same words may have been written in another order by an earlier release.
    if why != words and orjson.loads(why) != orjson.loads(words):
        wrong.append((why, words))
    return wrong
