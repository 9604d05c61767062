"""Which version of a programme guards a command at an instant."""

from contracts.programmes import CurrencyTerms, ProgrammeGuards, ProgrammeState, RedemptionGuards, Suspension
from services.ledger.domain.guards import UNGUARDED, Guards, guards_at
from tests.unit.ledger.books import POINTS, on

CURRENCY = CurrencyTerms(currency=POINTS, scale=2, worth="1.00")
LIMITS = RedemptionGuards(currency=POINTS, step=10)


def published(*suspensions: Suspension) -> ProgrammeState:
    """Version 1 from January, version 2 with limits and a transfer limit from March."""
    return ProgrammeState(
        programme="grocer",
        revision=2,
        versions=(
            ProgrammeGuards(
                version=1, starts_at=on("2026-01-01"), zone="UTC", money="PLN", currencies=(CURRENCY,), redemption=None
            ),
            ProgrammeGuards(
                version=2, starts_at=on("2026-03-01"), zone="Europe/Warsaw", money="PLN", currencies=(CURRENCY,),
                redemption=LIMITS, debt_allowed=True, transfer_month=500,
            ),
        ),
        suspensions=suspensions,
    )  # fmt: skip


FIRST = Guards(zone="UTC", currencies={POINTS: CURRENCY})
SECOND = Guards(
    zone="Europe/Warsaw", currencies={POINTS: CURRENCY}, redemption=LIMITS, debt_allowed=True, transfer_month=500
)


def test_the_version_in_force_is_the_latest_that_has_started() -> None:
    """To the very instant; before the first starts, the first."""
    programme = published()
    assert guards_at(programme, on("2025-12-31")) == FIRST
    assert guards_at(programme, on("2026-02-28 23:59:59")) == FIRST
    assert guards_at(programme, on("2026-03-01")) == SECOND


def test_S1_a_suspension_begins_and_ends_at_its_instants() -> None:
    """10:00 to 12:00; one without an end goes on."""
    programme = published(
        Suspension(starts_at=on("2026-02-01 10:00"), ends_at=on("2026-02-01 12:00")),
        Suspension(starts_at=on("2026-05-01")),
    )
    instants = ("2026-02-01 09:59:59", "2026-02-01 10:00", "2026-02-01 11:59:59", "2026-02-01 12:00", "2026-09-01")
    assert [guards_at(programme, on(each)).suspended for each in instants] == [False, True, True, False, True]


def test_a_programme_without_versions_guards_nothing() -> None:
    """The books themselves still do."""
    assert guards_at(ProgrammeState(programme="grocer", revision=1, versions=()), on("2026-01-01")) == UNGUARDED


def test_days_and_months_are_those_of_the_programmes_zone() -> None:
    """Half past eleven in the evening, UTC, on the last of January is February in Warsaw."""
    assert (SECOND.day(on("2026-01-31 23:30")).isoformat(), SECOND.month(on("2026-01-31 23:30"))) == (
        "2026-02-01",
        "2026-02",
    )
