"""Which event makes which message, for whom: decisions without any system around them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.catalogue import MODELS
from contracts.documents import SAMPLES
from contracts.envelope import CloudEvent
from services.notifier.domain.message import TOLD_TYPES, Notice, is_old, notice_of
from services.notifier.domain.preferences import Recipient, channels_for, language_for

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
DAY = timedelta(hours=24)
ACCRUED = Notice("points-accrued", {})


def sample(name: str, changes: Mapping[str, Any] | None = None) -> CloudEvent:
    """A golden sample, with fields of its data changed."""
    content = json.loads((SAMPLES / f"{name}.json").read_bytes())
    content["data"] |= changes or {}
    return MODELS[content["type"]].model_validate(content)


def test_accrued_points_are_told_with_what_is_pending_and_until_when() -> None:
    """The member reads how many, from when they can be spent, and through which day."""
    assert notice_of(sample("bonus.points.accrued.v1.pending")) == Notice(
        "points-accrued",
        {
            "amounts": [
                {
                    "currency": "points",
                    "scale": 2,
                    "points": 40,
                    "pending": 40,
                    "activates_at": "2026-03-19T17:04:11+01:00",
                    "expires_at": "2026-10-01T00:00:00+02:00",
                }
            ],
            "balances": [{"currency": "points", "scale": 2, "available": 0, "pending": 40, "debt": 0}],
            "source": {"kind": "purchase", "id": "krakow-12/3/000451", "store": "krakow-12"},
        },
    )


def test_points_that_settle_a_debt_are_all_told() -> None:
    """R5: 50 earned, 30 of it settles the debt: the member earned 50 and has 20."""
    notice = notice_of(sample("bonus.points.accrued.v1.at-once-settling-debt"))
    assert notice is not None
    assert [(each["points"], each["pending"]) for each in notice.facts["amounts"]] == [(50, 0)]
    assert notice.facts["balances"] == [{"currency": "points", "scale": 2, "available": 20, "pending": 0, "debt": 0}]


@pytest.mark.parametrize(
    ("name", "template", "points"),
    [
        ("bonus.points.activated.v1.due", "points-activated", [40]),
        ("bonus.points.redeemed.v1.till", "points-redeemed", [10]),
        ("bonus.hold.captured.v1.part", "points-redeemed", [15]),
        ("bonus.expiry.announced.v1.inactivity", "points-expiring", [30]),
    ],
)
def test_points_that_move_are_told(name: str, template: str, points: list[int]) -> None:
    """Activated, spent (all that was captured of a hold, and no more), about to lapse."""
    notice = notice_of(sample(name))
    assert notice is not None
    assert (notice.template, [each["points"] for each in notice.facts["amounts"]]) == (template, points)


def test_other_things_that_are_told() -> None:
    """A new account, another tier, a tier about to be lost, a birthday."""
    assert notice_of(sample("bonus.account.opened.v1.enrolment")) == Notice("welcome", {"balances": [
        {"currency": "points", "scale": 2, "available": 0, "pending": 0, "debt": 0}
    ]})  # fmt: skip
    assert notice_of(sample("bonus.tier.changed.v1.upgrade")) == Notice(
        "tier-changed", {"tier": "bronze", "previous": None, "until": "2027-03-05T00:00:00+01:00"}
    )
    assert notice_of(sample("bonus.tier.loss-announced.v1.gold")) == Notice(
        "tier-ending", {"tier": "gold", "until": "2027-06-09T00:00:00+02:00"}
    )
    assert notice_of(sample("bonus.birthday.reached.v1.leap-day")) == Notice("birthday", {})


def test_a_tier_that_only_goes_on_is_not_told() -> None:
    """The same tier for another year is no news."""
    details = {"tier": "gold", "previous": "gold", "since": "2026-03-05T00:00:00Z", "until": None, "reason": "kept"}
    assert notice_of(sample("bonus.tier.changed.v1.upgrade", {"details": details})) is None


def test_an_award_of_nothing_is_not_told() -> None:
    """A purchase may be decided and give no points."""
    assert notice_of(sample("bonus.points.accrued.v1.pending", {"movements": []})) is None


def test_events_that_make_no_message_are_known_before_they_are_validated() -> None:
    """The types that the notifier asks for are exactly those that can make a message."""
    made = set()
    for file in SAMPLES.glob("*.json"):
        content = json.loads(file.read_bytes())
        if notice_of(MODELS[content["type"]].model_validate(content)) is not None:
            made.add(content["type"])
    assert made == TOLD_TYPES


@pytest.mark.parametrize(
    ("age", "limit", "old"),
    [
        (timedelta(hours=24), DAY, False),
        (timedelta(hours=24, microseconds=1), DAY, True),
        (timedelta(days=-1), DAY, False),
        (timedelta(days=400), None, False),
    ],
)
def test_history_is_not_news(age: timedelta, limit: timedelta | None, old: bool) -> None:
    """To the instant; never, if no limit is set; what counts in the future is not old."""
    assert is_old(NOON - age, NOON, limit) is old


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        (None, "no_contact"),
        (Recipient(has_contact=False), "no_contact"),
        (Recipient(has_contact=True, undeliverable=True), "undeliverable"),
        (Recipient(has_contact=True, email_allowed=False), "channel_refused"),
        (Recipient(has_contact=True, muted=frozenset({"points"})), "muted"),
        (Recipient(has_contact=True, muted=frozenset({"tier"})), ("email",)),
        (Recipient(has_contact=True), ("email",)),
    ],
)
def test_a_member_is_told_what_he_wants_to_hear(recipient: Recipient | None, expected: object) -> None:
    """Each reason for silence has its name."""
    assert channels_for(ACCRUED, recipient) == expected


@pytest.mark.parametrize(
    ("wanted", "spoken"), [("pl", "pl"), ("RU", "ru"), ("pl-PL", "pl"), ("de", "en"), ("", "en"), (None, "en")]
)
def test_a_member_is_told_in_his_language(wanted: str | None, spoken: str) -> None:
    """Or in the default one, where we do not speak it."""
    assert language_for(Recipient(has_contact=True, language=wanted), "en") == spoken
