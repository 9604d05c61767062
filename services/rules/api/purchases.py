"""Routes: purchases by those who have no Kafka, and what became of purchases."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from contracts.amounts import format_decimal, format_points
from contracts.envelope import CODE_PATTERN
from contracts.ids import purchase_key
from contracts.purchases import Purchase, PurchaseCompleted
from services.rules.api.documents import body_of
from services.rules.api.intake import FromPost, refuse
from services.rules.api.outcomes import Outcome
from services.rules.api.state import FromParts, InPage, Parts, Reader
from services.rules.identify.queries import PurchaseRow
from services.rules.index import queries as index
from services.rules.refusals.queries import RefusalRow, refusals_of
from services.runtime.http.answers import answer, decode_cursor, encode_cursor
from services.runtime.http.application import JsonRoute
from services.runtime.http.problems import Problem

router = APIRouter(prefix="/v1/purchases", tags=["purchases"], route_class=JsonRoute)

TYPES: Final = ("bonus.purchase.completed.v1",)
TAKEN_IN: Final = frozenset({"identified", "waiting", "no_member", "identifier_blocked", "claim_window_passed"})
"""Verdicts under which a purchase is known: the answer is its status."""

_STATUS: Final[Mapping[str, tuple[str, str | None]]] = {
    "identified": ("identified", None),
    "waiting": ("waiting", "unknown_member"),
    "no_member": ("waiting", "no_member"),
    "identifier_blocked": ("rejected", "identifier_blocked"),
    "claim_window_passed": ("rejected", "claim_window_passed"),
}
"""Verdict to status and code, as callers read them."""

_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)
_LAST_KEY: Final = UUID(int=2**128 - 1)

Programme = Annotated[str, Query(max_length=64, pattern=CODE_PATTERN, description="The programme's name.")]


@router.post("", status_code=HTTPStatus.ACCEPTED, openapi_extra=body_of(Purchase, PurchaseCompleted))
async def post_purchase(posted: FromPost, parts: FromParts) -> Response:
    """Take in a purchase: its data, or a whole CloudEvent. What comes of it stands under the address in `Location`.

    Problems: 422 with the reason of what cannot be applied, 409 `conflict` with both facts, `idempotency_key_reused`.
    """
    message = posted.message(TYPES, parts)
    verdict = await posted.submit(parts.identify, message, parts)
    refuse(posted, verdict, TAKEN_IN)
    data = message.content["data"]
    known = verdict.code if verdict.kind == "duplicate" else (verdict.answer or {}).get("status")
    status, code = _STATUS[known or "identified"]
    place = purchase_address(data["purchase_id"], data["programme"])
    said = {"purchase_id": data["purchase_id"], "programme": data["programme"], "status": status, "code": code}
    return answer(said, HTTPStatus.ACCEPTED, {"Location": place})


@router.get("")
async def list_purchases(programme: Programme, page: InPage, caller: Reader, parts: FromParts) -> Response:
    """Purchases under a programme, the latest first: when, by which card, where, how much, redeemed, accrued."""
    kind = f"purchases {caller.tenant} {programme}"
    before = _LATEST, _LAST_KEY
    if page.cursor is not None:
        at, last = decode_cursor(kind, page.cursor, str, str)
        before = datetime.fromisoformat(at), UUID(last)
    rows = await parts.queries.purchases_by_date(caller.tenant, programme, before, page.limit + 1)
    shown = rows[: page.limit]
    masked = await parts.queries.masked(shown)
    outcomes = await _outcomes(parts, shown)
    next_cursor = None
    if len(rows) > page.limit:
        next_cursor = encode_cursor(kind, [shown[-1].purchased_at.isoformat(), str(shown[-1].purchase_key)])
    purchases = [_listed(row, masked, outcomes.get(row.purchase_key)) for row in shown]
    return answer({"purchases": purchases, "next_cursor": next_cursor})


@router.get("/{purchase_id:path}")
async def get_purchase(purchase_id: str, programme: Programme, caller: Reader, parts: FromParts) -> Response:
    """What became of a purchase: its status, the decision with its explanation, returns, and what contradicted it.

    The status is `identified`, `waiting`, `decided`, `booked` or `rejected`. Problem 404 `purchase_unknown`.
    """
    key = purchase_key(caller.tenant, programme, purchase_id)
    rows = await parts.queries.purchases(key)
    refusals = await refusals_of(parts.reads, key)
    standing = await _standing(parts, rows, purchase_id)
    if standing is None:
        if not refusals:
            raise Problem(HTTPStatus.NOT_FOUND, "purchase_unknown", "No such purchase was taken in")
        return answer({"purchase_id": purchase_id, "programme": programme, **_rejected(refusals[-1])})
    masked = await parts.queries.masked([standing])
    outcome = (await _outcomes(parts, [standing])).get(key)
    returns = await index.returns_of(parts.reads, purchase_id, key)
    found = _listed(standing, masked, outcome) | {
        "programme": programme,
        "account_id": standing.account_id,
        "member_id": standing.member_id,
        "first_seen_at": standing.first_seen_at,
        "decision_id": outcome.decision_id if outcome else None,
        "explanation": outcome.explanation if outcome else None,
        "returns": [
            {
                "return_id": back.return_id,
                "status": back.verdict,
                "returned_at": back.returned_at,
                "amount": format_decimal(back.total),
            }
            for back in returns
        ],
        "conflicts": [_conflict(each) for each in refusals if each.code == "conflict"],
    }
    return answer(found)


def purchase_address(purchase_id: str, programme: str) -> str:
    """Where it is told what became of a purchase."""
    return f"/v1/purchases/{quote(purchase_id, safe='')}?programme={quote(programme, safe='')}"


async def _standing(parts: Parts, rows: Sequence[PurchaseRow], purchase_id: str) -> PurchaseRow | None:
    """The purchase that stands under its id: the one that the index has, if it came under two identifiers."""
    if len(rows) < 2:  # noqa: PLR2004 - one is the usual case, and needs no index
        return rows[0] if rows else None
    entry = await index.entry_of(parts.reads, purchase_id, rows[0].purchase_key)
    return next((row for row in rows if entry is not None and row.fingerprint == entry.fingerprint), rows[0])


async def _outcomes(parts: Parts, rows: Sequence[PurchaseRow]) -> Mapping[UUID, Outcome]:
    wanted = [(row.account_id, row.purchase_key) for row in rows if row.account_id is not None]
    return await parts.outcomes.of_purchases(parts.reads, wanted) if wanted else {}


def _listed(row: PurchaseRow, masked: Mapping[bytes, str], outcome: Outcome | None) -> dict[str, Any]:
    status, code = _STATUS[row.verdict]
    points = outcome.points if outcome else ()
    return {
        "purchase_id": row.purchase_id,
        "purchased_at": row.purchased_at,
        "card": masked.get(row.identifier) if row.identifier is not None else None,
        "store": row.store,
        "amount": format_decimal(row.total),
        "currency": row.currency,
        "status": outcome.status if outcome else status,
        "code": outcome.reason if outcome else code,
        "redeemed": {each.currency: format_points(each.redeemed, each.scale) for each in points if each.redeemed},
        "accrued": {each.currency: format_points(each.accrued, each.scale) for each in points},
    }


def _rejected(row: RefusalRow) -> dict[str, Any]:
    return {
        "status": "rejected",
        "code": row.code,
        "message": row.message,
        "field": row.field,
        "rejected_at": row.refused_at,
        "event_id": row.event_id,
    }


def _conflict(row: RefusalRow) -> dict[str, Any]:
    return {"found_at": row.refused_at, "event_id": row.event_id, "message": row.message, **(row.facts or {})}
