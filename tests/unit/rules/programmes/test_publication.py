"""Publication: drafts become versions, versions start, programmes stand still; a second time changes nothing."""

from datetime import UTC, datetime, timedelta

from services.rules.domain import publication
from services.rules.domain.publication import MAX_VERSIONS, Edition, Programme, Suspension
from services.rules.domain.refusals import Refusal

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LEAD = timedelta(seconds=60)
HOUR = timedelta(hours=1)
LIVE = Programme("club", 1, (Edition(1, "a", NOW - HOUR),))


def code(result: Programme | Refusal) -> str:
    """Why nothing was done."""
    assert isinstance(result, Refusal)
    return result.code


def test_drafts_are_numbered_and_the_same_file_is_the_same_draft() -> None:
    """A file sent twice is one draft; sent after another one it is a new version: that is how one goes back."""
    first = publication.draft(Programme("club"), "a")
    assert first == Programme("club", 0, (Edition(1, "a"),))
    assert isinstance(first, Programme)
    assert publication.draft(first, "a") is first
    second = publication.draft(first, "b")
    assert isinstance(second, Programme)
    assert publication.draft(second, "a") == Programme("club", 0, (Edition(1, "a"), Edition(2, "b"), Edition(3, "a")))
    assert code(publication.draft(Programme("club", 0, (Edition(1, "a"),) * MAX_VERSIONS), "b")) == "too_many_versions"


def test_the_first_version_may_start_in_the_past_and_others_not() -> None:
    """Nobody was judged before the first; of the next ones everybody must know in time."""
    first = Programme("club", 0, (Edition(1, "a"),))
    assert publication.publish(first, 1, NOW - HOUR, NOW, LEAD) == LIVE
    assert publication.publish(first, 1, None, NOW, LEAD) == Programme("club", 1, (Edition(1, "a", NOW),))
    two = publication.draft(LIVE, "b")
    assert isinstance(two, Programme)
    assert code(publication.publish(two, 2, NOW + LEAD - timedelta(seconds=1), NOW, LEAD)) == "starts_too_early"
    published = publication.publish(two, 2, None, NOW, LEAD)
    assert published == Programme("club", 2, (*LIVE.editions, Edition(2, "b", NOW + LEAD)))
    assert isinstance(published, Programme)
    assert publication.publish(published, 2, None, NOW + HOUR, LEAD) is published
    assert code(publication.publish(published, 2, NOW + HOUR, NOW, LEAD)) == "already_published"
    assert code(publication.publish(published, 3, None, NOW, LEAD)) == "unknown_version"


def test_a_suspension_begins_now_or_later_and_never_twice() -> None:
    """What was decided stands; two suspensions do not overlap, but may follow each other."""
    assert code(publication.suspend(Programme("club"), None, None, NOW)) == "not_published"
    assert code(publication.suspend(LIVE, NOW - HOUR, None, NOW)) == "in_the_past"
    assert code(publication.suspend(LIVE, NOW, NOW, NOW)) == "ends_before_it_starts"
    paused = publication.suspend(LIVE, NOW, NOW + HOUR, NOW)
    assert isinstance(paused, Programme)
    assert (paused.revision, paused.suspensions) == (2, (Suspension(NOW, NOW + HOUR),))
    assert publication.suspend(paused, NOW, NOW + HOUR, NOW + LEAD) is paused
    assert code(publication.suspend(paused, NOW + LEAD, None, NOW)) == "suspended_already"
    again = publication.suspend(paused, NOW + HOUR, None, NOW)
    assert isinstance(again, Programme)
    assert again.suspensions == (Suspension(NOW, NOW + HOUR), Suspension(NOW + HOUR))


def test_resuming_ends_what_runs_and_calls_off_what_is_to_come() -> None:
    """Going on is for now: a suspension that was over stays as it was."""
    pauses = (Suspension(NOW - 3 * HOUR, NOW - 2 * HOUR), Suspension(NOW - HOUR), Suspension(NOW + HOUR))
    paused = Programme("club", 4, LIVE.editions, pauses)
    resumed = publication.resume(paused, NOW)
    assert resumed == Programme("club", 5, LIVE.editions, (pauses[0], Suspension(NOW - HOUR, NOW)))
    assert isinstance(resumed, Programme)
    assert publication.resume(resumed, NOW + LEAD) is resumed
    assert code(publication.resume(Programme("club"), NOW)) == "not_published"
