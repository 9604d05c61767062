"""Lives written by hand: each command once, and what chance draws too seldom."""

from typing import Any

from tests.properties.ledger.steps import ALL_LETTERS, Step

EVERY_KIND = [
    Step("open"),
    *(Step("accrue", 100, who=who, standing=1) for who in range(3)),
    Step("opening", 50, who=1, of=1, later=200),
    Step("tier", who=1, word="gold", later=1_000, standing=2),
    Step("tier", who=1, word="gold", later=1_000, standing=1),
    Step("adjust", 30, who=1),
    Step("freeze", who=1),
    Step("unfreeze", who=1),
    Step("redeem", 30, who=1, later=1_000),
    Step("undo", 10),
    Step("restore", 5),
    Step("hold", 40, who=1, minutes=500, later=1_000),
    Step("send", 20, who=1, whom=2),
    Step("send", 20, who=1, whom=2),
    Step("deliver", points=1),
    Step("close", who=2),
    Step("merge", who=0, whom=1),
    Step("deliver", points=30),
    Step("capture", 10, flag=True),
    Step("purchase", 90, flag=True, word="negative"),
    Step("restore", 80),
    Step("accrue", 60, who=1),
    Step("reverse", 90, of=1, word="negative"),
    Step("reverse", 90, of=2, word="negative"),
    Step("hold", 20, who=1, minutes=30, later=1_000),
    ALL_LETTERS,
    Step("release"),
    Step("tier", who=1, word="gold"),
    Step("erase", who=1),
    Step("wait", minutes=700),
    ALL_LETTERS,
]
"""One of each, so that none goes undrawn: two accounts are merged, and then comes what concerns the time before."""

TRANSFERS_OF_A_MONTH = [
    Step("accrue", 100),
    Step("send", 40, whom=1),
    Step("send", 20, whom=1),
    ALL_LETTERS,
    Step("send", 45, whom=1),
]
"""What came back does not count: there was no such account."""

ACTIVE_ELSEWHERE = [
    Step("wait", minutes=2_000),
    Step("wait", minutes=2_000),
    Step("accrue", 50, of=2_000),
    Step("accrue", 50, who=1),
    Step("merge", whom=1),
    ALL_LETTERS,
    Step("wait", minutes=700),
]
"""A merged member was active when either account was."""

REFUSED_MERGES = [
    Step("accrue", 50),
    Step("accrue", 50, who=1),
    Step("freeze", who=1),
    Step("merge", whom=1),
    Step("close"),
    ALL_LETTERS,
    Step("merge", who=1, whom=0),
    Step("erase"),
    Step("tier", word="gold"),
    ALL_LETTERS,
    Step("merge", who=2, whom=1),
    Step("close", who=1),
    ALL_LETTERS,
]
"""Of a frozen account; while it goes on; of one whose member was erased."""

EXPIRED_BEFORE = [
    Step("accrue", 100),
    Step("accrue", 100, who=1, later=100),
    Step("hold", 40, who=1, minutes=3_000, later=1_000),
    Step("wait", minutes=100),
    Step("merge", whom=1),
    ALL_LETTERS,
    Step("reverse", 50, word="negative"),
    Step("reverse", 20, word="negative"),
    Step("reverse", 10, word="pending_only"),
    ALL_LETTERS,
    Step("capture", 10, flag=True),
    Step("wait", minutes=2_000),
    Step("wait", minutes=2_000),
    ALL_LETTERS,
]
"""What expired before a merge counts as taken; the rest of a return is asked for where the points went."""

BEFORE_ITS_CAUSE = [
    Step("accrue", 100, who=1),
    Step("accrue", 60, who=1, late=True),
    Step("reverse", 40, word="negative"),
    Step("purchase", 30, who=1, word="negative", late=True),
    Step("restore", 20),
    Step("again"),
    Step("arrive"),
    Step("accrue", 30, who=1, late=True),
    Step("reverse", 30, word="to_zero"),
    Step("merge", whom=1),
    ALL_LETTERS,
    Step("arrive"),
    Step("arrive"),
    ALL_LETTERS,
]
"""Returns that come before what they return, and where an account was merged in between."""

CLOSED_TOO_EARLY = [
    Step("accrue", 50),
    Step("accrue", 50, currency="stamps"),
    Step("send", 10, whom=1),
    Step("hold", 10, currency="stamps", minutes=500, later=1_000),
    Step("close"),
    Step("release", currency="stamps"),
    Step("close"),
    ALL_LETTERS,
    Step("close"),
]
"""What is on hold in any currency is told before what is in transit in any."""

BY_HAND: list[tuple[dict[str, Any], list[Step]]] = [
    ({}, EVERY_KIND),
    ({"month": 50}, TRANSFERS_OF_A_MONTH),
    ({"inactive": (1, 0)}, ACTIVE_ELSEWHERE),
    ({}, REFUSED_MERGES),
    ({}, EXPIRED_BEFORE),
    ({}, BEFORE_ITS_CAUSE),
    ({}, CLOSED_TOO_EARLY),
]
"""With the limits under which they are led."""
