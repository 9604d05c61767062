"""What the routes stand on, as the process made it."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Security

from contracts.shards import shard_of
from services.ledger.confirmations import NO_CONFIRMATIONS, Confirmations
from services.ledger.programmes import Programmes
from services.ledger.queries import SQL
from services.ledger.queries.expiring import Remembered
from services.ledger.settings import LedgerSettings
from services.runtime.http.problems import Problem
from services.runtime.http.security import Caller, require
from services.runtime.postgres import Pool
from services.runtime.writer import ShardWriter


@dataclass(frozen=True, slots=True)
class Owner:
    """What never changes of an account."""

    tenant: str
    programme: str


@dataclass(slots=True)
class Parts:
    """The books' parts for their routes. `reads` is the pool of queries, `writer` the way of commands."""

    writer: ShardWriter
    reads: Pool
    programmes: Programmes
    settings: LedgerSettings
    clock: Callable[[], datetime]
    confirmations: Confirmations = NO_CONFIRMATIONS
    remembered: Remembered = field(default_factory=Remembered)
    _owners: OrderedDict[UUID, Owner] = field(default_factory=OrderedDict)

    async def owner(self, caller: Caller, account_id: UUID) -> Owner:
        """Whose account it is. Problem 404 `account_unknown`, also for an account of another tenant."""
        owner = self._owners.get(account_id)
        if owner is None:
            row = await self.reads.fetchrow(SQL.owner, shard_of(str(account_id)), account_id)
            if row is None:
                raise account_unknown(account_id)
            owner = self._owners[account_id] = Owner(row["tenant"], row["programme"])
            if len(self._owners) > self.settings.ledger_accounts_cached:
                self._owners.popitem(last=False)
        if owner.tenant != caller.tenant:
            raise account_unknown(account_id)
        return owner

    def zone(self, owner: Owner) -> str:
        """The programme's zone, as it is now."""
        return self.programmes.guards(owner.tenant, owner.programme, self.clock()).zone


def account_unknown(account_id: UUID) -> Problem:
    """Nothing was ever booked on it, or it is another tenant's."""
    return Problem(
        HTTPStatus.NOT_FOUND, "account_unknown", "There is no such account", facts={"account_id": str(account_id)}
    )


def member_erased(account_id: UUID) -> Problem:
    """Only figures are left of its member: the programme's totals, and no line of a person."""
    return Problem(HTTPStatus.GONE, "member_erased", "The member was erased", facts={"account_id": str(account_id)})


async def parts_of(request: Request) -> Parts:
    """The parts of this process."""
    parts: Parts = request.app.state.parts
    return parts


FromParts = Annotated[Parts, Depends(parts_of)]
Reader = Annotated[Caller, Security(require("ledger:read"))]
Writer = Annotated[Caller, Security(require("ledger:write"))]
Operator = Annotated[Caller, Security(require("ledger:adjust"))]
