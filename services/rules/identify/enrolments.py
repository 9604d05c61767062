"""What an enrolment says beside its first identifier: other identifiers, and facts about the member."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from contracts.ids import derive
from services.rules.domain.identifier import Arrival, Holder
from services.rules.identify.taken import Enrolling, Taken
from services.rules.incoming import fingerprint_of

_FACTS: Final = ("birthday", "attributes")


def other_names(holder: Holder, name: str, others: tuple[str, ...]) -> tuple[str, ...]:
    """The identifiers, `type:value`, that must be told whose they are; a member's own id is always one of them."""
    own = f"member:{holder.member_id}"
    return tuple(dict.fromkeys(each for each in (*others, own) if each != name))


def enrolment_on_sight(name: str, holder: Holder, since: datetime) -> dict[str, Any]:
    """The enrolment of a member made for an identifier that nobody held."""
    kind, _, value = name.partition(":")
    return {
        "programme": holder.programme,
        "enrolled_at": since,
        "identifiers": [{"type": kind, "value": value}],
        "member_id": holder.member_id,
    }


def facts_in(enrolling: Enrolling) -> Taken | None:
    """The facts in an enrolment of somebody who is a member already, known since it was sent; None: it has none."""
    data: Mapping[str, Any] = enrolling.data
    facts = {name: data[name] for name in _FACTS if data.get(name)}
    if not facts:
        return None
    kind, _, value = enrolling.name.partition(":")
    said = {
        "member": {"type": kind, "value": value},
        "programme": enrolling.programme,
        "known_at": enrolling.sent_at.isoformat(),
        **facts,
    }
    key = derive("facts", enrolling.key)
    return Taken(
        Arrival(key, "facts", enrolling.sent_at),
        enrolling.programme,
        enrolling.origin.id,
        enrolling.name,
        fingerprint_of(said),
        enrolling.origin,
        said,
    )
