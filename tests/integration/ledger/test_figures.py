"""Points moved, as operators count them: by what became of them, once for each commit."""

from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.ledger.projections.figures import kind_of
from tests.integration.ledger.conftest import NOW, POINTS, Api, Books, Member, accrual, days, reversal

PROGRAMME = "grocer"


def counted(*kinds: str) -> dict[str, float]:
    """What the counter of this process says now."""
    labels = {"programme": PROGRAMME, "currency": POINTS}
    return {kind: REGISTRY.get_sample_value("bonus_points_total", {**labels, "kind": kind}) or 0.0 for kind in kinds}


async def test_points_are_counted_by_what_became_of_them(books: Books, api: Api) -> None:
    """Issued, activated, spent, expired, taken back: in the smallest unit, and nothing twice for what comes twice."""
    await books.publish()
    kinds = ("issued", "activated", "redeemed", "expired", "reversed")
    before = counted(*kinds)
    member = Member()
    given = accrual(member, "p1", 100_00, activates_at=NOW + days(1), expires_at=NOW + days(9))
    await books.take(given, given, accrual(member, "p2", 50_00))
    books.clock.now = NOW + days(2)
    await books.sweep(member)
    await api.redeem(member, "30.00")
    await books.take(reversal(member, "p2", 20_00))
    books.clock.now = NOW + days(10)
    await books.sweep(member)
    after = counted(*kinds)
    assert {kind: after[kind] - before[kind] for kind in kinds} == {
        "issued": 150_00, "activated": 100_00, "redeemed": 30_00, "expired": 70_00, "reversed": 20_00,
    }  # fmt: skip


async def test_what_is_rolled_back_is_not_counted(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that fails moved nothing."""
    before = counted("issued")

    async def fails(*_: Any, **__: Any) -> None:
        raise OSError

    monkeypatch.setattr("services.ledger.processor.save", fails)
    with pytest.raises(OSError):  # noqa: PT011 - whichever way it failed
        await books.take(accrual(Member(), "p1", 10_00))
    assert counted("issued") == before


@pytest.mark.parametrize(
    ("source", "target", "kind"),
    [
        ("issued", "pending", "issued"), ("pending", "available", "activated"), ("available", "held", "held"),
        ("held", "available", "released"), ("held", "redeemed", "redeemed"), ("redeemed", "available", "restored"),
        ("available", "expired", "expired"), ("available", "debt", "settled"), ("debt", "reversed", "reversed"),
        ("transferred_in", "available", "received"), ("in_transit", "transferred_out", "sent"),
        ("available", "in_transit", "leaving"), ("in_transit", "available", "returned"),
        ("adjusted", "available", "adjusted"), ("debt", "adjusted", "adjusted"),
    ],
)  # fmt: skip
def test_each_movement_has_a_name_of_the_field(source: str, target: str, kind: str) -> None:
    """What operators read is what finance calls it."""
    assert kind_of(source, target) == kind
