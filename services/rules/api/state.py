"""What the routes stand on, as the process made it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query, Request, Security

from contracts.envelope import CODE_PATTERN
from services.rules.api.outcomes import Outcomes
from services.rules.decide.processor import PublishedProgrammes
from services.rules.identify.queries import Queries
from services.rules.privacy import Vault
from services.runtime.http.answers import Page, page_of
from services.runtime.http.idempotency import idempotency_key
from services.runtime.http.security import Caller, require
from services.runtime.postgres import Pool
from services.runtime.writer import ShardWriter


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of rules for its routes: two writers, and what is read from."""

    identify: ShardWriter
    index: ShardWriter
    reads: Pool
    queries: Queries
    outcomes: Outcomes
    vault: Vault
    clock: Callable[[], datetime]
    programmes: PublishedProgrammes | None = None
    """This process's copy of the published programmes, for quotes and dry runs."""


async def parts_of(request: Request) -> Parts:
    """The parts of this process. A coroutine, for a plain function would be called in a thread each time."""
    parts: Parts = request.app.state.parts
    return parts


FromParts = Annotated[Parts, Depends(parts_of)]
Reader = Annotated[Caller, Security(require("rules:read"))]
Writer = Annotated[Caller, Security(require("rules:write"))]
Key = Annotated[str, Depends(idempotency_key)]
InPage = Annotated[Page, Depends(page_of)]
OfProgramme = Annotated[str | None, Query(max_length=64, pattern=CODE_PATTERN, description="Of this programme alone.")]
