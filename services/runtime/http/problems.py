"""Problems: what a caller is told when a request is not done, as `application/problem+json`.

Source: RFC 9457, Problem Details for HTTP APIs. `type` is a URN that ends in the code, which is stable.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from starlette.responses import Response

CONTENT_TYPE: Final = "application/problem+json"
DETAIL_MAX: Final = 1_000


class Problem(Exception):  # noqa: N818 - an answer to a caller; raised in api modules alone
    """The answer to a request that is not done.

    `code` is for programs and never changes; `title` says the same in words; `detail` says it of this request;
    `field` is the path of the field that is wrong; `facts` stand beside them in the answer.
    """

    def __init__(  # noqa: PLR0913 - the members of a problem document
        self,
        status: int,
        code: str,
        title: str,
        detail: str | None = None,
        *,
        field: str | None = None,
        facts: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {detail or title}")
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.field = field
        self.facts = dict(facts or {})
        self.headers = dict(headers or {})

    def document(self) -> dict[str, Any]:
        """The problem document."""
        document: dict[str, Any] = {
            "type": f"urn:bonus:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
        }
        if self.detail is not None:
            document["detail"] = self.detail[:DETAIL_MAX]
        if self.field is not None:
            document["field"] = self.field
        return document | {name: value for name, value in self.facts.items() if name not in document}

    def response(self) -> Response:
        """The problem as an answer."""
        return Response(
            orjson.dumps(self.document(), default=str), self.status, headers=self.headers, media_type=CONTENT_TYPE
        )


def unavailable(detail: str, *, code: str = "unavailable", retry_after_s: int = 1) -> Problem:
    """Something that the service needs is away, or it has too much to do: the same request may be sent again."""
    return Problem(503, code, "Try again", detail, headers={"Retry-After": str(retry_after_s)})
