"""Routes: enrolments, facts and activities by those who have no Kafka."""

from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from contracts.activities import Activity, ActivityRecorded, MemberEnrolled, MemberUpdated
from services.rules.api.documents import body_of
from services.rules.api.intake import FromPost, refuse
from services.rules.api.state import FromParts
from services.runtime.http.answers import answer
from services.runtime.http.application import JsonRoute

router = APIRouter(prefix="/v1/activities", tags=["activities"], route_class=JsonRoute)

TYPES: Final = ("bonus.activity.recorded.v1", "bonus.member.enrolled.v1", "bonus.member.updated.v1")
TAKEN_IN: Final = frozenset({"identified", "waiting", "identifier_blocked", "claim_window_passed"})
"""Verdicts under which it is known."""


@router.post(
    "",
    status_code=HTTPStatus.ACCEPTED,
    openapi_extra=body_of(Activity, ActivityRecorded, MemberEnrolled, MemberUpdated),
)
async def post_activity(posted: FromPost, parts: FromParts) -> Response:
    """Take in an activity (its data, or a whole CloudEvent), an enrolment or facts (whole CloudEvents).

    Problems: 422 with the reason of what cannot be applied, 409 `conflict` or `identifier_taken`.
    """
    message = posted.message(TYPES, parts)
    verdict = await posted.submit(parts.identify, message, parts)
    refuse(posted, verdict, TAKEN_IN)
    said = {name: value for name, value in verdict.answer.items() if name in ("status", "account_id", "member_id")}
    return answer({"event_id": message.id} | _told(said), HTTPStatus.ACCEPTED)


def _told(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value if name == "status" or value is None else str(value) for name, value in said.items()}
