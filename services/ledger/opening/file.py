"""The CSV file of an old system: read line by line, every bad line named by its number.

Columns, by their names in the first line, in any order: `member` (its id), `currency`, `points` (a decimal), and, where
wanted, `expires` (a day, the last that counts, or an instant), `earned` (the same), `partner`. Others are refused, so
that a misspelt date of expiry is not silently none.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic_core import PydanticCustomError

from contracts.amounts import parse_decimal, points_from_decimal
from contracts.envelope import MAX_ID_LENGTH, MAX_YEAR, MIN_YEAR

REQUIRED: Final = frozenset({"member", "currency", "points"})
OPTIONAL: Final = frozenset({"expires", "earned", "partner"})
BAD_LINES_MAX: Final = 1_000
"""Bad lines that are kept in words; more are only counted."""

_DAY_LENGTH: Final = len("2026-05-31")


class BadLineError(ValueError):
    """What is wrong with a line, in words."""


@dataclass(frozen=True, slots=True)
class OpeningLot:
    """Points of one line, in the smallest unit."""

    line: int
    currency: str
    points: int
    earned_at: datetime | None
    expires_at: datetime | None
    partner: str


@dataclass(slots=True)
class Opening:
    """What a file holds: lots by member, totals by currency, bad lines by number."""

    lots: dict[UUID, list[OpeningLot]] = field(default_factory=dict)
    totals: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)
    bad_count: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """What is known of the programme: decimals by currency, and the zone in which its days end."""

    scales: Mapping[str, int]
    zone: str


def read(lines: Iterable[str], terms: Terms) -> Opening:
    """Read a whole file. Nothing raises but a missing or unknown column: `BadLineError`."""
    opening = Opening()
    reader = csv.DictReader(lines, strict=True)
    _check_columns(reader.fieldnames or ())
    for number, row in _rows(reader, opening):
        opening.lines += 1
        try:
            member, lot = _lot(number, row, terms)
        except BadLineError as error:
            _note(opening, number, str(error))
        else:
            opening.lots.setdefault(member, []).append(lot)
            opening.totals[lot.currency] += lot.points
    return opening


def _check_columns(names: Iterable[str]) -> None:
    found = set(names)
    if missing := REQUIRED - found:
        raise BadLineError(f"the first line names no column {', '.join(sorted(missing))}")
    if unknown := found - REQUIRED - OPTIONAL:
        raise BadLineError(f"unknown columns: {', '.join(sorted(unknown))}")


def _rows(reader: "csv.DictReader[str]", opening: Opening) -> Iterator[tuple[int, Mapping[str, str]]]:
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            opening.lines += 1
            _note(opening, reader.line_num, str(error))
            continue
        if None in row or None in row.values():
            opening.lines += 1
            _note(opening, reader.line_num, "it has more or fewer columns than the first line")
            continue
        yield reader.line_num, row


def _note(opening: Opening, number: int, reason: str) -> None:
    opening.bad_count += 1
    if len(opening.bad) < BAD_LINES_MAX:
        opening.bad.append((number, reason))


def _lot(number: int, row: Mapping[str, str], terms: Terms) -> tuple[UUID, OpeningLot]:
    try:
        member = UUID(row["member"].strip())
    except ValueError:
        raise BadLineError("member: not an id such as 8fb3024b-07f5-5659-afc8-98cbd4681ce3") from None
    currency = row["currency"].strip()
    scale = terms.scales.get(currency)
    if scale is None:
        raise BadLineError(f"currency: the programme has {', '.join(sorted(terms.scales)) or 'none'}")
    earned_at = _instant("earned", row, terms.zone, end=False)
    expires_at = _instant("expires", row, terms.zone, end=True)
    if earned_at is not None and expires_at is not None and expires_at <= earned_at:
        raise BadLineError("expires: not after it was earned")
    partner = row.get("partner", "").strip()
    if len(partner) > MAX_ID_LENGTH:
        raise BadLineError(f"partner: at most {MAX_ID_LENGTH} characters")
    return member, OpeningLot(number, currency, _points(row["points"], scale), earned_at, expires_at, partner)


def _points(text: str, scale: int) -> int:
    try:
        points = points_from_decimal(parse_decimal(text.strip()), scale)
    except PydanticCustomError as error:
        raise BadLineError(f"points: {error.message()}") from None
    if points is None:
        raise BadLineError(f"points: at most {scale} decimals")
    if points <= 0:
        raise BadLineError("points: write points above zero")
    return points


def _instant(name: str, row: Mapping[str, str], zone: str, *, end: bool) -> datetime | None:
    """An instant as written, or where a day begins or (`end`: the last day counts whole) ends in the zone."""
    text = row.get(name, "").strip()
    if not text:
        return None
    try:
        if len(text) > _DAY_LENGTH:
            instant = datetime.fromisoformat(text)
        else:
            day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
            instant = datetime.combine(day, time(), ZoneInfo(zone))
    except (ValueError, OverflowError):
        raise BadLineError(f'{name}: write a day such as "2026-12-31", or an instant with its zone') from None
    if instant.tzinfo is None or not MIN_YEAR <= instant.year <= MAX_YEAR:
        raise BadLineError(f"{name}: an instant has a zone and lies between {MIN_YEAR} and {MAX_YEAR}")
    return instant
