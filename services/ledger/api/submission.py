"""From a request that changes something to its answer: keys, the shard's next transaction, refusals as problems."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from contracts.redemptions import RetailCommand
from contracts.shards import shard_of
from services.ledger.api.state import Operator, Parts, Writer, account_unknown, parts_of
from services.ledger.batch import CONFLICT
from services.ledger.domain.commands import Command, Confirmation
from services.ledger.domain.refusals import Refusal
from services.ledger.intake import Request as Submitted
from services.ledger.intake import command_id_of, command_of, currency_of, without_token
from services.ledger.queries import SQL
from services.ledger.wire import SOURCE
from services.runtime.http.answers import answer
from services.runtime.http.idempotency import idempotency_key
from services.runtime.http.problems import Problem
from services.runtime.http.security import Caller
from services.runtime.messages import Message
from services.runtime.shard import Verdict

Key = Annotated[str, Depends(idempotency_key)]

_STATUS: Final[Mapping[str, HTTPStatus]] = {
    "account_unknown": HTTPStatus.NOT_FOUND,
    "hold_unknown": HTTPStatus.NOT_FOUND,
    "redemption_unknown": HTTPStatus.NOT_FOUND,
    "member_erased": HTTPStatus.GONE,
    "unknown_currency": HTTPStatus.UNPROCESSABLE_ENTITY,
    "scale_differs": HTTPStatus.UNPROCESSABLE_ENTITY,
    "not_positive": HTTPStatus.UNPROCESSABLE_ENTITY,
    "too_many_decimals": HTTPStatus.UNPROCESSABLE_ENTITY,
    "amount_too_large": HTTPStatus.UNPROCESSABLE_ENTITY,
    "below_minimum": HTTPStatus.UNPROCESSABLE_ENTITY,
    "not_a_multiple": HTTPStatus.UNPROCESSABLE_ENTITY,
    "bill_negative": HTTPStatus.UNPROCESSABLE_ENTITY,
    "bill_required": HTTPStatus.UNPROCESSABLE_ENTITY,
    "exceeds_share_of_bill": HTTPStatus.UNPROCESSABLE_ENTITY,
    "time_out_too_long": HTTPStatus.UNPROCESSABLE_ENTITY,
    "reason_required": HTTPStatus.UNPROCESSABLE_ENTITY,
    "operator_required": HTTPStatus.UNPROCESSABLE_ENTITY,
    "confirmation_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "confirmation_expired": HTTPStatus.UNPROCESSABLE_ENTITY,
    "confirmation_differs": HTTPStatus.UNPROCESSABLE_ENTITY,
    "same_account": HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""Refusals that are not about how things stand (409)."""


class Body(BaseModel):
    """A request's body: what it does not know it refuses, so that a misspelt limit is not silently no limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BalanceNow(BaseModel):
    """A balance after a command."""

    pending: str
    available: str
    held: str
    debt: str


class Done(BaseModel):
    """What a command made, and the balances after it. `position` is for `min_position` of reads that follow."""

    command_id: UUID
    account_id: UUID
    version: int
    position: int
    recorded_at: str
    points: str | None = None
    currency: str | None = None
    redemption_id: UUID | None = None
    hold_id: UUID | None = None
    transfer_id: UUID | None = None
    expires_at: str | None = None
    balances: dict[str, BalanceNow]


@dataclass(frozen=True, slots=True)
class Submission:
    """A request on its way: who asks what kind of thing of which account, under which key."""

    parts: Parts
    caller: Caller
    account_id: UUID
    kind: str
    key: str
    traceparent: str | None

    @property
    def command_id(self) -> UUID:
        """The command: the same for the same key."""
        return command_id_of(self.caller.tenant, self.caller.subject, self.account_id, self.kind, self.key)

    @property
    def base(self) -> dict[str, Any]:
        """The fields of `domain.commands.Direct`."""
        return {"command_id": self.command_id, "account_id": self.account_id, "occurred_at": self.parts.clock()}

    @property
    def named(self) -> dict[str, Any]:
        """The fields of `contracts.redemptions.RetailCommand`; its programme is the account's."""
        return {"key": self.key, "account_id": self.account_id, "programme": ""}

    async def retail(self, data: RetailCommand, asked: Mapping[str, Any]) -> Response:
        """Submit what a retail system may ask over Kafka as well. Its points are refused here, and not recorded."""
        currency = currency_of(data)
        scale = await self.scale(currency) if currency else None
        confirmation = await self._confirmation(data, currency)
        command, decimals, refusal = command_of(data, self.base, scale, confirmation)
        if refusal is not None or command is None:
            raise problem_of(refusal or Refusal("unknown_currency", "The programme has no such currency."))
        return await self.command(command, without_token(asked), decimals)

    async def _confirmation(self, data: RetailCommand, currency: str) -> Confirmation | None:
        """What the member confirmed to this caller."""
        token = getattr(data, "confirmation", None)
        if token is None:
            return None
        owner = await self.parts.owner(self.caller, self.account_id)
        return self.parts.confirmations.read(
            token, tenant=owner.tenant, account_id=self.account_id, programme=owner.programme, currency=currency,
            till=self.caller.subject, now=self.parts.clock(),
        )  # fmt: skip

    async def command(self, command: Command, asked: Mapping[str, Any], decimals: int | None = None) -> Response:
        """Submit a command, and answer with what it made, now or when it was first asked. Problems: its refusals."""
        owner = await self.parts.owner(self.caller, self.account_id)
        # What was left out is left out here too: a field that a later release knows changes no earlier request.
        said = {name: value for name, value in asked.items() if value is not None and value != ""}
        submitted = Submitted(
            owner.tenant, owner.programme, command,
            orjson.dumps(said, option=orjson.OPT_SORT_KEYS, default=str).decode(), decimals,
        )  # fmt: skip
        verdict = await self.parts.writer.submit(
            Message(
                type=self.kind,
                id=str(command.command_id),
                source=SOURCE,
                tenant=owner.tenant,
                key=str(self.account_id),
                payload=submitted,
                traceparent=self.traceparent,
            )
        )
        return _response(verdict, self.account_id)

    async def scale(self, currency: str) -> int | None:
        """How many decimals a currency of the account's programme has; None: there is no such currency."""
        owner = await self.parts.owner(self.caller, self.account_id)
        scales = self.parts.programmes.scales
        scale = scales.of(owner.tenant, owner.programme, currency)
        if scale is None:
            scale = await self.parts.reads.fetchval(
                SQL.scale, shard_of(str(self.account_id)), self.account_id, currency
            )
            if scale is not None:
                scales.known[owner.tenant, owner.programme, currency] = scale
        return scale


def writing(kind: str) -> Callable[..., Awaitable[Submission]]:
    """A dependency: a command of this kind by a caller who may write."""

    async def submission(request: Request, account_id: UUID, caller: Writer, key: Key) -> Submission:
        return Submission(
            await parts_of(request), caller, account_id, kind, key, request.scope.get("bonus.traceparent")
        )

    return submission


def operating(kind: str) -> Callable[..., Awaitable[Submission]]:
    """A dependency: a command of this kind by an operator."""

    async def submission(request: Request, account_id: UUID, caller: Operator, key: Key) -> Submission:
        return Submission(
            await parts_of(request), caller, account_id, kind, key, request.scope.get("bonus.traceparent")
        )

    return submission


def problem_of(refusal: Refusal) -> Problem:
    """A refusal as an answer."""
    return _problem(refusal.code, {"message": refusal.message, "facts": refusal.facts})


def _response(verdict: Verdict, account_id: UUID) -> Response:
    if verdict.kind == CONFLICT:
        raise Problem(
            HTTPStatus.CONFLICT,
            str(verdict.code),
            "This Idempotency-Key was used for another request",
            "the first stands; send another request under another key",
            field="header.Idempotency-Key",
            facts=verdict.answer,
        )
    if verdict.code is not None:
        if verdict.code == "account_unknown":
            raise account_unknown(account_id)
        raise _problem(verdict.code, verdict.answer)
    return answer(verdict.answer, HTTPStatus.CREATED)


def _problem(code: str, told: Mapping[str, Any]) -> Problem:
    status = _STATUS.get(code, HTTPStatus.CONFLICT)
    return Problem(status, code, told["message"], facts=told["facts"])
