"""A read of one account: of the caller's tenant, and no older than the position that the caller names."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Query

from contracts.shards import shard_of
from services.ledger.api.state import FromParts, Owner, Parts, Reader, account_unknown, member_erased
from services.ledger.queries import SQL
from services.ledger.queries.accounts import Seen
from services.runtime.http.problems import Problem

_PAUSE_S: Final = 0.01
_POSITION_MAX: Final = 2**63 - 1

MinPosition = Annotated[
    int,
    Query(
        ge=0,
        le=_POSITION_MAX,
        description="`position` from the answer to a command on this account: the answer is no older than that.",
    ),
]


@dataclass(frozen=True, slots=True)
class Read:
    """Which account is read, and when."""

    parts: Parts
    account_id: UUID
    owner: Owner
    now: datetime

    @property
    def shard(self) -> int:
        """The account's shard."""
        return shard_of(str(self.account_id))

    @property
    def zone(self) -> str:
        """The programme's zone."""
        return self.parts.programmes.guards(self.owner.tenant, self.owner.programme, self.now).zone


async def read_of(account_id: UUID, caller: Reader, parts: FromParts, min_position: MinPosition = 0) -> Read:
    """Let a caller read an account. Problems: 404 `account_unknown`, 409 `position_not_reached`."""
    await wait_for_position(parts, account_id, min_position)
    return Read(parts, account_id, await parts.owner(caller, account_id), parts.clock())


FromAccount = Annotated[Read, Depends(read_of)]


def readable(seen: Seen | None, account_id: UUID) -> Seen:
    """What may be told of an account. Problems: 404 `account_unknown`, 410 `member_erased`."""
    if seen is None:
        raise account_unknown(account_id)
    if seen.account.erased:
        raise member_erased(account_id)
    return seen


async def refuse_erased(read: Read) -> None:
    """Tell nothing of a member who was erased. Problem 410 `member_erased`."""
    if await read.parts.reads.fetchval(SQL.erased, read.shard, read.account_id):
        raise member_erased(read.account_id)


async def wait_for_position(parts: Parts, account_id: UUID, position: int) -> None:
    """Wait until the account's shard has come to `position`. Problem 409 `position_not_reached`."""
    if not position:
        return
    deadline = time.monotonic() + parts.settings.ledger_position_wait_ms / 1_000
    while True:
        row = await parts.reads.fetchrow(SQL.head, shard_of(str(account_id)))
        if row is not None and row["head"] >= position:
            return
        if time.monotonic() >= deadline:
            raise Problem(
                HTTPStatus.CONFLICT,
                "position_not_reached",
                "Not there yet",
                "this copy of the books has not come to that position; ask again",
                field="query.min_position",
                headers={"Retry-After": "1"},
            )
        await asyncio.sleep(_PAUSE_S)
