"""A dry run: any version of a programme, drafts too, on one event. Nothing is changed.

The event is read as the worker reads it and decided by the functions that decide live, on the account as it stands.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from contracts.ids import activity_key, purchase_key
from services.rules.decide.readings import Reading, read_content
from services.rules.domain.identifier import Holder
from services.rules.domain.occasions import Doing, Joining, do, join
from services.rules.domain.participant import Background, Decided, Participant, PublishedProgramme
from services.rules.domain.programme import ProgrammeVersion
from services.rules.domain.purchases import Receipt, judge
from services.rules.domain.sums import Contributions
from services.rules.domain.windows import BEFORE_EVERYTHING
from services.rules.publishing import ACTIVITY_IDENTIFIED, PARTICIPANT_ENROLLED, RECEIPT_IDENTIFIED, holder_data

PURCHASE: Final = "bonus.purchase.completed.v1"
ENROLMENT: Final = "bonus.member.enrolled.v1"
ACTIVITY: Final = "bonus.activity.recorded.v1"
TYPES: Final = (PURCHASE, ENROLMENT, ACTIVITY)
"""What can be tried."""


def alone(version: ProgrammeVersion, suspensions: tuple[tuple[datetime, datetime | None], ...]) -> PublishedProgramme:
    """A programme of which this version has been in force for ever."""
    return PublishedProgramme(version.key, (replace(version, starts_at=BEFORE_EVERYTHING),), suspensions)


def reading_of(event_type: str, data: Mapping[str, Any], tenant: str, holder: Holder) -> Reading:
    """The event as it would come to the holder's account."""
    programme, whose = holder.programme, holder_data(holder) | _texts(holder)
    said: dict[str, Any]
    if event_type == PURCHASE:
        key = purchase_key(tenant, programme, data["purchase_id"])
        said = {"purchase_key": str(key), "holder": whose, "purchase": data}
        return read_content({"type": RECEIPT_IDENTIFIED, "data": said}, tenant, None)
    if event_type == ACTIVITY:
        key = activity_key(tenant, programme, data["activity_id"])
        said = {"activity_key": str(key), "holder": whose, "activity": data}
        return read_content({"type": ACTIVITY_IDENTIFIED, "data": said}, tenant, None)
    return read_content({"type": PARTICIPANT_ENROLLED, "data": {"holder": whose, "enrolment": data}}, tenant, None)


def tried(
    participant: Participant, reading: Reading, programme: PublishedProgramme, contributions: Contributions
) -> Decided:
    """What would be decided."""
    background = Background(programme, contributions)
    match reading.subject:
        case Receipt() as receipt:
            return judge(participant, receipt, background)
        case Doing() as doing:
            return do(participant, doing, background)
        case Joining() as joining:
            return join(joining, background)
        case other:
            raise TypeError(f"no dry run of {type(other).__name__}")


def _texts(holder: Holder) -> dict[str, str]:
    return {"account_id": str(holder.account_id), "member_id": str(holder.member_id)}
