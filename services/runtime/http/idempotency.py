"""Idempotency keys: the same request is done once, and its answer is given again.

The key is scoped by tenant, caller and route, and stands with a fingerprint of the body. Services whose records keep
the answer anyway (a movement of points) need the key alone; others keep it here, in the shard of what they change.

Source: the IETF draft `idempotency-key-header`; its status codes except that another body is a conflict (409) here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any

import orjson
from fastapi import Header, Request

from services.runtime.http.problems import Problem
from services.runtime.http.security import Caller
from services.runtime.postgres import SQL
from services.runtime.shard import ShardTransaction


async def idempotency_key(
    request: Request,
    key: Annotated[
        str | None, Header(alias="Idempotency-Key", description="Any text; the same text for the same request.")
    ] = None,
) -> str:
    """Read the key: a dependency for each POST that changes something, `Annotated[str, Depends(idempotency_key)]`.

    Problems 400: `idempotency_key_missing`, `idempotency_key_too_long`, `idempotency_key_invalid`.
    """
    longest = request.app.state.settings.idempotency_key_max
    if not key:
        raise _refused("idempotency_key_missing", "send Idempotency-Key with any text, the same for the same request")
    if len(key) > longest:
        raise _refused("idempotency_key_too_long", f"at most {longest} characters")
    if not key.isprintable():
        raise _refused("idempotency_key_invalid", "printable characters alone")
    return key


def _refused(code: str, detail: str) -> Problem:
    return Problem(
        HTTPStatus.BAD_REQUEST, code, "The Idempotency-Key is not usable", detail, field="header.Idempotency-Key"
    )


def scope_of(caller: Caller, route: str) -> str:
    """Give what a key is unique in: tenant, caller and route (its template and what it names, or any stable text)."""
    return f"{caller.tenant}\x1f{caller.subject}\x1f{route}"


def fingerprint(content: Any) -> bytes:  # noqa: ANN401 - any JSON
    """The fingerprint of a request's content: the same for the same content, however it was written."""
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer that was given under a key: its HTTP status and its body."""

    scope: str
    key: str
    fingerprint: bytes
    status: int
    answer: bytes
    recorded_at: datetime | None = None

    def conflict(self, other: bytes) -> Problem:
        """Say that the key was used for something else; both facts are in the answer."""
        return Problem(
            HTTPStatus.CONFLICT,
            "idempotency_key_reused",
            "This Idempotency-Key was used for another request",
            facts={
                "first": {
                    "fingerprint": self.fingerprint.hex(),
                    "recorded_at": self.recorded_at,
                    "status": self.status,
                    "answer": orjson.loads(self.answer) if self.answer else None,
                },
                "second": {"fingerprint": other.hex()},
            },
        )


async def recall(transaction: ShardTransaction, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], KeptAnswer]:
    """Find the answers kept in this shard under (scope, key); for a processor, before it decides."""
    rows = await transaction.connection.fetch(
        SQL.recall_answers, transaction.shard, [scope for scope, _ in wanted], [key for _, key in wanted]
    )
    kept = [KeptAnswer(**dict(row.items())) for row in rows]
    # The statement matches scopes and keys apart from each other: a pair that nobody asked for is left out.
    asked = set(wanted)
    return {(each.scope, each.key): each for each in kept if (each.scope, each.key) in asked}


async def keep(transaction: ShardTransaction, answers: Sequence[KeptAnswer]) -> None:
    """Keep answers in this shard; for a processor, in the transaction of what it decided."""
    await transaction.connection.execute(
        SQL.keep_answers,
        transaction.shard,
        [each.scope for each in answers],
        [each.key for each in answers],
        [each.fingerprint for each in answers],
        [each.status for each in answers],
        [each.answer for each in answers],
        transaction.now,
    )
