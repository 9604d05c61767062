"""Messages in any batches, with the enrolment anywhere among them and everything read again: one outcome."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.catalogue import MODELS
from services.rules.domain.identifier import Identifier
from services.rules.domain.membership import MembershipTerms
from services.rules.identify.batch import Batch, Loaded
from services.rules.identify.taken import Enrolling, Taken, key_of, read
from services.rules.privacy import Pseudonyms
from services.runtime.messages import Message

NOW = datetime(2026, 3, 31, tzinfo=UTC)
TERMS = MembershipTerms("grocer", "PLN", "Europe/Warsaw")
PSEUDONYMS = Pseudonyms(base64.b64encode(bytes(32)).decode())
Event = dict[str, Any]


class Memory:
    """What a shard remembers, without a database."""

    def __init__(self) -> None:
        programmes = {("default", "grocer"): TERMS}
        self.loaded = Loaded({}, {}, {}, {}, programmes)
        self.published: list[dict[str, Any]] = []

    def deliver(self, events: Sequence[Event]) -> None:
        """Decide one batch."""
        batch = Batch(self.loaded, NOW, timedelta(minutes=10))
        for event in events:
            reading = read(message_of(event))
            name = getattr(reading, "name", None)
            assert name is not None
            place = (PSEUDONYMS.of("default", name), "grocer")
            self.loaded.identifiers.setdefault(place, Identifier("default", "grocer", name))
            if isinstance(reading, Taken):
                batch.take(reading, place)
            elif isinstance(reading, Enrolling):
                batch.enrol(reading, place)
        self.published += [orjson.loads(entry.body) for entry in batch.changes.entries]


def message_of(event: Event) -> Message:
    message = Message(
        type=event["type"],
        id=event["id"],
        source=event["source"],
        tenant="default",
        content=event,
        event=MODELS[event["type"]].model_validate(event),
    )
    message.key = key_of(message)
    return message


def event_of(event_type: str, event_id: str, data: dict[str, Any]) -> Event:
    return {
        "specversion": "1.0", "type": event_type, "id": event_id, "source": "urn:till", "time": "2026-03-30T00:00:00Z",
        "datacontenttype": "application/json", "data": data,
    }  # fmt: skip


def purchase(number: int, day: int, total: int) -> Event:
    at = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)).isoformat()
    data = {
        "purchase_id": str(number),
        "programme": "grocer",
        "purchased_at": at,
        "member": {"type": "card", "value": "77"},
        "currency": "PLN",
        "lines": [{"line": 1, "amount": f"{total}.00"}],
        "payments": [{"type": "card", "amount": f"{total}.00"}],
    }
    return event_of("bonus.purchase.completed.v1", f"{number} {day} {total}", data)


ENROLMENT = event_of(
    "bonus.member.enrolled.v1",
    "joined",
    {
        "programme": "grocer",
        "enrolled_at": "2026-02-15T12:00:00Z",
        "identifiers": [{"type": "card", "value": "77"}],
    },
)


def outcome(memory: Memory) -> tuple[list[Event], list[tuple[str, str]]]:
    """The receipts in their order, and what was refused for which reason."""
    receipts = [each["data"] for each in memory.published if each["type"] == "bonus.receipt.identified.v1"]
    rejected = [each["data"] for each in memory.published if each["type"] == "bonus.purchase.rejected.v1"]
    return receipts, sorted((each["event_id"], each["refusal"]["code"]) for each in rejected)


def expected(purchases: Sequence[Event]) -> tuple[list[Event], list[tuple[str, str]]]:
    """The same by a model that knows nothing of batches: the first under an id stands, others contradict it."""
    first: dict[str, Event] = {}
    refused: set[tuple[str, str]] = set()
    for event in purchases:
        stands = first.setdefault(event["data"]["purchase_id"], event)
        if stands["data"] != event["data"]:
            refused.add((event["id"], "conflict"))
    passed_on = []
    for event in first.values():
        # Joined on 15 February: what was bought before 16 January can no longer be claimed.
        if event["data"]["purchased_at"] < "2026-01-15T23":
            refused.add((event["id"], "claim_window_passed"))
        else:
            passed_on.append(event["data"])
    return passed_on, sorted(refused)


# Few ids, days and totals, so that the same purchase comes again, and the same id with something else.
PURCHASES = st.lists(
    st.builds(purchase, st.integers(0, 4), st.sampled_from([10, 30, 80]), st.integers(1, 2)), max_size=10
)


@settings(max_examples=200)
@given(purchases=PURCHASES, place=st.integers(0, 10), cuts=st.sets(st.integers(1, 20)), replays=st.integers(0, 2))
def test_D5_one_outcome_for_any_batches_places_of_the_enrolment_and_replays(
    purchases: list[Event], place: int, cuts: set[int], replays: int
) -> None:
    """The same receipts in the order of publication, each once, and the same refusals, each once."""
    stream = [*purchases[:place], ENROLMENT, *purchases[place:]]
    shaken = Memory()
    for _ in range(replays + 1):
        start = 0
        for end in [*sorted(cut for cut in cuts if cut < len(stream)), len(stream)]:
            shaken.deliver(stream[start:end])
            start = end
    receipts, refused = outcome(shaken)
    assert ([each["purchase"] for each in receipts], refused) == expected(purchases)
    enrolled = [each for each in shaken.published if each["type"] == "bonus.participant.enrolled.v1"]
    assert len(enrolled) == 1
    assert not shaken.loaded.waiting
