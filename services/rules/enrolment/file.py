"""A file of members, one a line: read and checked whole before anything of it is sent.

The first line names the columns: `card`, `phone`, `email`, `external`, `member_id`, `enrolled_at`, `birthday`,
`card_category`, `language`, `referred_by` (`card:770001234567`); any other column is an attribute of the member. A cell
left empty says nothing. The same file read twice makes the same messages, so sending it twice enrols nobody twice.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from contracts.activities import Enrolment
from contracts.ids import derive
from contracts.problems import problems_of
from services.rules.incoming import fingerprint_of

ENROLLED: Final = "bonus.member.enrolled.v1"
SOURCE: Final = "urn:bonus:enrolment-file"
CELL_MAX: Final = 1_000
_IDENTIFIERS: Final = ("card", "phone", "email", "external")
_PLAIN: Final = ("member_id", "enrolled_at", "birthday", "card_category", "language")
_MEMBER: Final = "member_id"
_REFERRED_BY: Final = "referred_by"


@dataclass(frozen=True, slots=True)
class Membership:
    """What all lines have in common. `enrolled_at` is for those that do not say when they joined."""

    tenant: str
    programme: str
    enrolled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be sent, by its number in the file, and why."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Member:
    """A line that can be sent: the message key, and the `data` and id of the event."""

    key: str
    event_id: str
    data: Mapping[str, Any]

    def event(self, tenant: str, sent_at: datetime) -> dict[str, Any]:
        """The CloudEvent."""
        return {
            "specversion": "1.0",
            "type": ENROLLED,
            "id": self.event_id,
            "source": SOURCE,
            "time": sent_at.isoformat(),
            "datacontenttype": "application/json",
            "tenant": tenant,
            "data": self.data,
        }


def read(lines: Iterable[str], membership: Membership) -> Iterator[Member | BadLine]:
    """Read a CSV file line by line. Two lines with one first identifier: the second is bad."""
    reader = csv.DictReader(lines, strict=True)
    seen: dict[str, int] = {}
    rows = iter(reader)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadLine(reader.line_num, f"this is not CSV: {error}")
            return
        found = _member(row, membership, reader.line_num)
        if isinstance(found, Member):
            first = seen.setdefault(found.key, reader.line_num)
            if first != reader.line_num:
                found = BadLine(reader.line_num, f"the same first identifier as in line {first}")
        yield found


def _member(row: Mapping[str | None, Any], membership: Membership, number: int) -> Member | BadLine:
    if None in row or any(value is None for value in row.values()):
        return BadLine(number, "it has not as many cells as the first line has names")
    cells = {str(name).strip(): value.strip() for name, value in row.items() if value.strip()}
    if any(len(value) > CELL_MAX for value in cells.values()):
        return BadLine(number, f"a cell has more than {CELL_MAX} characters")
    data = _data(cells, membership)
    try:
        enrolment = Enrolment.model_validate(data)
    except ValidationError as error:
        return BadLine(number, "; ".join(f"{each.field}: {each.message}" for each in problems_of(error)))
    key = enrolment.identifiers[0].key
    event_id = derive("enrolment-file", membership.tenant, key, fingerprint_of(data).hex())
    return Member(key, str(event_id), data)


def _data(cells: Mapping[str, str], membership: Membership) -> dict[str, Any]:
    identifiers = [{"type": kind, "value": cells[kind]} for kind in _IDENTIFIERS if kind in cells]
    if not identifiers and _MEMBER in cells:
        identifiers = [{"type": "member", "value": cells[_MEMBER]}]
    data: dict[str, Any] = {"programme": membership.programme, "identifiers": identifiers}
    if membership.enrolled_at is not None:
        data["enrolled_at"] = membership.enrolled_at.isoformat()
    data |= {name: cells[name] for name in _PLAIN if name in cells}
    if _REFERRED_BY in cells:
        kind, _, value = cells[_REFERRED_BY].partition(":")
        data["referred_by"] = {"type": kind, "value": value}
    known = {*_IDENTIFIERS, *_PLAIN, _REFERRED_BY}
    attributes = {name: value for name, value in cells.items() if name not in known}
    return data | ({"attributes": attributes} if attributes else {})
