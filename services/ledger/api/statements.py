"""Routes: the statement of an account, as pages or as a whole, and its events as they were published."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from contracts.amounts import format_points
from contracts.envelope import Code, Instant
from contracts.programmes import CurrencyTerms
from services.ledger.api.reading import FromAccount, Read, readable, refuse_erased
from services.ledger.projections.entries import BUCKETS
from services.ledger.queries import SQL
from services.ledger.queries.accounts import looking, see
from services.ledger.queries.statements import BEGINNING, END, Line, Place, Wanted, backward, export, place_of
from services.ledger.words.lines import in_words
from services.runtime.http.answers import Page, answer, decode_cursor, encode_cursor, page_of
from services.runtime.http.application import JsonRoute
from services.runtime.http.languages import LANGUAGES, Language, asked_for
from services.runtime.http.problems import Problem

CSV: Final = "text/csv"
JSON_LINES: Final = "application/x-ndjson"

_AFTER: Final = ("pending_after", "available_after", "held_after", "transit_after", "debt_after")
_CSV_COLUMNS: Final = (
    "version", "type", "currency", "effective_at", "recorded_at", *BUCKETS, *_AFTER, "source_kind", "source_id",
    "store", "rules", "reason", "operator", "reference", "text",
)  # fmt: skip
_MICROSECONDS: Final = 1_000_000

router = APIRouter(prefix="/v1", tags=["statements"], route_class=JsonRoute)


class AfterAnswer(BaseModel):
    """What there was after a line."""

    pending: str
    available: str
    held: str
    in_transit: str
    debt: str


class LineAnswer(BaseModel):
    """One line: what changed in one currency, what there was after it, and why; `text` says all that in words.

    `why` may have `source`, `rules` (points of this currency by rule, as decimal strings), `reason`, `operator`,
    `reference`, `redemption_id`, `hold_id` and `policy`.
    """

    version: int
    type: str
    currency: str
    effective_at: datetime
    recorded_at: datetime
    changes: dict[str, str]
    after: AfterAnswer
    why: dict[str, Any]
    text: str


class StatementAnswer(BaseModel):
    """A page of a statement, newest first."""

    items: list[LineAnswer]
    next_cursor: str | None


class EventsAnswer(BaseModel):
    """A page of events as they were published, oldest first."""

    items: list[dict[str, Any]]
    next_cursor: str | None


async def wanted_of(
    since: Annotated[Instant | None, Query(alias="from", description="Lines known from this instant on.")] = None,
    until: Annotated[Instant | None, Query(alias="to", description="Lines known before this instant.")] = None,
    currency: Annotated[Code | None, Query(description="One currency; all if left out.")] = None,
) -> Wanted:
    """Which lines are wanted."""
    return Wanted(since or BEGINNING, until or END, currency or "")


@dataclass(frozen=True, slots=True)
class Reader:
    """In which language a statement is read, and the programme's words for its currencies, by language."""

    language: Language
    currencies: Mapping[str, CurrencyTerms]

    def document(self, line: Line) -> dict[str, Any]:
        """A line as `LineAnswer`."""
        return line_document(line) | {"text": self.text(line)}

    def text(self, line: Line) -> str:
        """A line in words."""
        terms = self.currencies.get(line["currency"])
        return in_words(line, orjson.loads(line["why"]), terms.name if terms else {}, self.language)

    @property
    def headers(self) -> dict[str, str]:
        """What an answer says of its language."""
        return {"Content-Language": self.language, "Vary": "Accept, Accept-Language"}


async def reader_of(
    read: FromAccount,
    accept_language: Annotated[str | None, Header(description=f"One of {', '.join(LANGUAGES)}.")] = None,
) -> Reader:
    """Who reads the statement."""
    guards = read.parts.programmes.guards(read.owner.tenant, read.owner.programme, read.now)
    return Reader(asked_for(accept_language), guards.currencies)


@router.get(
    "/accounts/{account_id}/statement",
    response_model=StatementAnswer,
    responses={200: {"content": {CSV: {}, JSON_LINES: {}}}},
)
async def get_statement(
    request: Request,
    read: FromAccount,
    page: Annotated[Page, Depends(page_of)],
    wanted: Annotated[Wanted, Depends(wanted_of)],
    reader: Annotated[Reader, Depends(reader_of)],
) -> Response:
    """What happened to an account's points and why, newest first, a page at a time; `text` in `Accept-Language`.

    With `Accept: text/csv` or `application/x-ndjson` all lines come at once, oldest first, as a stream.
    Problems: 410 `member_erased`.
    """
    accepted = request.headers.get("accept", "")
    if CSV in accepted:
        await refuse_erased(read)
        content, kind = _csv(read, wanted, reader), f"{CSV}; charset=utf-8"
        return StreamingResponse(content, media_type=kind, headers=reader.headers)
    if JSON_LINES in accepted:
        await refuse_erased(read)
        return StreamingResponse(_json_lines(read, wanted, reader), media_type=JSON_LINES, headers=reader.headers)
    return await _page(read, wanted, page, reader)


@router.get("/accounts/{account_id}/events", response_model=EventsAnswer)
async def list_events(read: FromAccount, page: Annotated[Page, Depends(page_of)]) -> Response:
    """An account's events as they were published, oldest first; refused commands among them.

    Problems 410 `member_erased`, `events_archived`.
    """
    await refuse_erased(read)
    kind = f"events {read.account_id}"
    version, position = (0, 0) if page.cursor is None else decode_cursor(kind, page.cursor, int, int)
    rows = await read.parts.reads.fetch(SQL.events, read.shard, read.account_id, version, position, page.limit + 1)
    # An account has an event of every version, and a cursor is given only where more of them were there.
    if not rows or rows[0]["version"] > version + 1:
        raise Problem(
            HTTPStatus.GONE, "events_archived", "These events were archived",
            "statements and balances of that time are answered as before; the events are in the archives",
        )  # fmt: skip
    items = [orjson.Fragment(row["body"]) for row in rows[: page.limit]]
    cursor = None
    if len(rows) > page.limit:
        last = rows[page.limit - 1]
        cursor = encode_cursor(kind, [last["version"], last["position"]])
    return answer({"items": items, "next_cursor": cursor})


async def _page(read: Read, wanted: Wanted, page: Page, reader: Reader) -> Response:
    kind = f"statement {read.account_id} {wanted}"
    before = None if page.cursor is None else _place(*decode_cursor(kind, page.cursor, int, int, str))
    async with looking(read.parts.reads, read.account_id, read.now) as look:
        seen = readable(await see(look, read.account_id), read.account_id)
        lines = await backward(look, seen, wanted, before, page.limit + 1)
    cursor = None
    if len(lines) > page.limit:
        last = place_of(lines[page.limit - 1])
        microseconds = int(last.known_at.timestamp()) * _MICROSECONDS + last.known_at.microsecond
        cursor = encode_cursor(kind, [microseconds, last.version, last.currency])
    items = [reader.document(line) for line in lines[: page.limit]]
    return answer({"items": items, "next_cursor": cursor}, headers=reader.headers)


def _place(microseconds: int, version: int, currency: str) -> Place:
    seconds, rest = divmod(microseconds, _MICROSECONDS)
    return Place(datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest), version, currency)


async def _json_lines(read: Read, wanted: Wanted, reader: Reader) -> AsyncIterator[bytes]:
    async for lines in _export(read, wanted):
        yield b"".join(orjson.dumps(reader.document(line)) + b"\n" for line in lines)


async def _csv(read: Read, wanted: Wanted, reader: Reader) -> AsyncIterator[str]:
    yield ",".join(_CSV_COLUMNS) + "\r\n"
    async for lines in _export(read, wanted):
        yield "".join(_csv_line(line, reader.text(line)) for line in lines)


def _export(read: Read, wanted: Wanted) -> AsyncIterator[list[Line]]:
    return export(read.parts.reads, read.account_id, wanted, read.now, read.parts.settings.ledger_export_rows)


def line_document(line: Line) -> dict[str, Any]:
    """A line as `LineAnswer`, without its text."""
    scale = line["scale"]
    return {
        "version": line["version"],
        "type": line["type"],
        "currency": line["currency"],
        "effective_at": line["effective_at"],
        "recorded_at": line["recorded_at"],
        "changes": {name: format_points(line[name], scale) for name in BUCKETS if line[name]},
        "after": {
            "pending": format_points(line["pending_after"], scale),
            "available": format_points(line["available_after"], scale),
            "held": format_points(line["held_after"], scale),
            "in_transit": format_points(line["transit_after"], scale),
            "debt": format_points(line["debt_after"], scale),
        },
        "why": _why_document(line),
    }


def _why_document(line: Line) -> Any:  # noqa: ANN401  # any JSON
    why = orjson.loads(line["why"])
    return why | {"rules": _rules_of(line, why)} if "rules" in why else orjson.Fragment(line["why"])


def _rules_of(line: Line, why: Mapping[str, Any]) -> dict[str, str]:
    """Which rules gave how many points of a line, as decimal strings."""
    return {rule: format_points(points, line["scale"]) for rule, points in why.get("rules", {}).items()}


def _csv_line(line: Line, text: str) -> str:
    scale = line["scale"]
    why = orjson.loads(line["why"])
    source = why.get("source", {})
    values = [
        str(line["version"]), line["type"], line["currency"], line["effective_at"].isoformat(),
        line["recorded_at"].isoformat(),
        *(format_points(line[name] or 0, scale) for name in BUCKETS),
        *(format_points(line[name], scale) for name in _AFTER),
        source.get("kind", ""), source.get("id", ""), source.get("store", ""),
        " ".join(f"{rule}={points}" for rule, points in _rules_of(line, why).items()),
        why.get("reason", ""), why.get("operator", ""), why.get("reference", ""),
        text,
    ]  # fmt: skip
    return ",".join(map(_csv_value, values)) + "\r\n"


def _csv_value(value: str) -> str:
    """A value of RFC 4180; what a spreadsheet would take for a formula is made a text."""
    if value[:1] in {"=", "+", "@", "\t", "\r"} or (value[:1] == "-" and not value[1:2].isdigit()):
        value = f"'{value}"
    return '"' + value.replace('"', '""') + '"' if any(mark in value for mark in ',"\r\n') else value
