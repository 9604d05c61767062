"""Codes by which members confirm amounts: made, sent with a message, said, and turned into a signed token.

Everything of a code is in the shard of its member; its id names that shard, so that it is found again by its id alone.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson

from contracts.amounts import format_points
from contracts.confirmations import Confirmation
from contracts.ids import derive
from contracts.shards import SHARDS, shard_of
from services.notifier.contact import subject_of
from services.notifier.domain.confirmation import CODE_DIGITS, CONFIRMATION, Asked, Confirmed, say
from services.notifier.domain.preferences import language_for
from services.notifier.handlers import SQL
from services.notifier.handlers.contacts import MemberErasedError
from services.notifier.handlers.deliveries import SEALED_CODE, Request, sealed_code
from services.notifier.recipients import StoredRecipient, find_recipients
from services.notifier.settings import NotifierSettings
from services.runtime import tokens
from services.runtime.gate import ShardGate
from services.runtime.http.idempotency import KeptAnswer, keep, recall
from services.runtime.privacy import Cipher, Vault
from services.runtime.shard import ShardTransaction

CHANNEL: Final = "email"
_ABOUT: Final = b"confirmation:"
_HOUR: Final = timedelta(hours=1)


class NotReachableError(Exception):
    """No code can be sent to the member; the message is the reason, stable."""


class TooManyConfirmationsError(Exception):
    """Too many codes were made for the member lately."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be confirmed. `points` in the smallest unit of the currency; `till` is who may spend them."""

    member_id: UUID
    account_id: UUID
    programme: str
    currency: str
    points: int
    scale: int
    till: str


@dataclass(frozen=True, slots=True)
class Letter:
    """What is written to the member."""

    confirmation_id: UUID
    language: str
    code: str
    valid_until: datetime
    traceparent: str | None


class Confirmations:
    """The codes of one schema. `code` makes a new one: digits that nobody can guess."""

    def __init__(
        self, gate: ShardGate, vault: Vault, settings: NotifierSettings, code: Callable[[], str] | None = None
    ) -> None:
        self._gate = gate
        self._vault = vault
        self._settings = settings
        self._lifetime = timedelta(seconds=settings.confirmation_lifetime_s)
        self._key = tokens.private_key_of(settings.confirmation_key) if settings.confirmation_key else None
        self._new_code = code or _random_code

    @property
    def signs(self) -> bool:
        """Whether there is a key to sign with."""
        return self._key is not None

    async def ask(self, tenant: str, wish: Wish, request: Request) -> KeptAnswer:
        """Make a code and have it sent; gives the answer kept under the request's key, perhaps of another request.

        Raises `MemberErasedError`, `NotReachableError`, `TooManyConfirmationsError`.
        """
        shard = shard_of(str(wish.member_id))
        place = (request.scope, request.key)
        subject = subject_of(tenant, wish.member_id)
        async with self._gate.transaction(shard) as transaction:
            kept = (await recall(transaction, [place])).get(place)
            if kept is not None:
                return kept
            await self._check_recent(transaction, tenant, wish.member_id)
            cipher = (await self._vault.ciphers(transaction.connection, shard, [subject])).get(subject)
            if cipher is None:
                raise MemberErasedError
            recipient = await _reachable(transaction, tenant, wish.member_id)
            confirmation_id = derive("confirmation", *place)
            expires_at = transaction.now + self._lifetime
            code = self._new_code()
            await _add(transaction, tenant, wish, confirmation_id, cipher.encrypt(code.encode(), _ABOUT), expires_at)
            language = language_for(recipient.decides, self._settings.language_default)
            message = Letter(confirmation_id, language, code, expires_at, request.traceparent)
            await _send(transaction, tenant, wish, message, cipher)
            answer = {"confirmation_id": f"{confirmation_id}.{shard}", "channel": CHANNEL, "expires_at": expires_at}
            kept = _answer(request, HTTPStatus.CREATED, answer, transaction.now)
            await keep(transaction, [kept])
        return kept

    async def verify(
        self, tenant: str, shard: int, confirmation_id: UUID, said: str, request: Request
    ) -> KeptAnswer | None:
        """Hear a code; gives the answer kept under the request's key, perhaps of another request. None: unknown.

        The answer is what a code said makes: `outcome` `confirmed` with the claims of the token, which itself is not
        kept; or why not, with `attempts_left`.
        """
        place = (request.scope, request.key)
        async with self._gate.transaction(shard) as transaction:
            kept = (await recall(transaction, [place])).get(place)
            if kept is not None:
                return kept
            row = await transaction.connection.fetchrow(SQL.find_confirmation, shard, tenant, confirmation_id)
            code = await self._code_of(transaction, row) if row is not None else None
            if row is None or code is None:
                return None
            asked = Asked(code, row["attempts"], row["expires_at"], row["confirmed_at"])
            decided = say(said, asked, transaction.now, self._settings.confirmation_attempts_max)
            at = decided.at if isinstance(decided, Confirmed) else row["confirmed_at"]
            await transaction.connection.execute(SQL.try_confirmation, shard, confirmation_id, decided.attempts, at)
            answer: dict[str, Any] = (
                {"outcome": "confirmed", "claims": self._claims(row, decided.at)}
                if isinstance(decided, Confirmed)
                else {"outcome": decided.code, "attempts_left": decided.attempts_left}
            )
            kept = _answer(request, HTTPStatus.OK, answer, transaction.now)
            await keep(transaction, [kept])
        return kept

    def token(self, claims: dict[str, Any]) -> str:
        """What the till hands to the ledger. Raises AssertionError without a key to sign with."""
        assert self._key is not None, "asked of a service without a key"  # noqa: S101 - the route has looked
        return tokens.sign(self._key, claims)

    def _claims(self, row: asyncpg.Record, confirmed_at: datetime) -> dict[str, Any]:
        issued_at = int(confirmed_at.timestamp())
        claims = Confirmation(
            jti=row["confirmation_id"],
            iat=issued_at,
            exp=issued_at + self._settings.confirmation_lifetime_s,
            tenant=row["tenant"],
            account_id=row["account_id"],
            programme=row["programme"],
            currency=row["currency"],
            points=row["points"],
            till=row["till"],
        )
        return claims.model_dump(mode="json")

    async def _code_of(self, transaction: ShardTransaction, row: asyncpg.Record) -> str | None:
        """The code that was sent; None where its member was erased since."""
        subject = subject_of(row["tenant"], row["member_id"])
        ciphers = await self._vault.existing(transaction.connection, [transaction.shard], [subject])
        cipher = ciphers.get((transaction.shard, subject))
        return cipher.decrypt(row["code"], _ABOUT).decode() if cipher is not None else None

    async def _check_recent(self, transaction: ShardTransaction, tenant: str, member_id: UUID) -> None:
        since = transaction.now - _HOUR
        made = await transaction.connection.fetchval(
            SQL.count_confirmations, transaction.shard, tenant, member_id, since
        )
        if made >= self._settings.confirmation_hour_max:
            raise TooManyConfirmationsError


def place_of(identifier: str) -> tuple[int, UUID] | None:
    """Shard and confirmation of an id that `ask` gave; None for any other."""
    confirmation, _, shard = identifier.partition(".")
    try:
        place = int(shard), UUID(confirmation)
    except ValueError:
        return None
    return place if 0 <= place[0] < SHARDS else None


def _random_code() -> str:
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def _answer(request: Request, status: HTTPStatus, content: dict[str, Any], now: datetime) -> KeptAnswer:
    return KeptAnswer(request.scope, request.key, request.fingerprint, status, orjson.dumps(content), now)


async def _reachable(transaction: ShardTransaction, tenant: str, member_id: UUID) -> StoredRecipient:
    """The member, if a code would reach him: what he muted does not matter, for he asked for it."""
    recipients = await find_recipients(transaction.connection, transaction.shard, [member_id])
    recipient = recipients.get((tenant, member_id))
    if recipient is None or recipient.sealed is None:
        raise NotReachableError("no_contact")
    if recipient.undeliverable_since is not None:
        raise NotReachableError("undeliverable")
    if not recipient.email_allowed:
        raise NotReachableError("channel_refused")
    return recipient


async def _add(  # noqa: PLR0913, PLR0917 - the columns of a row
    transaction: ShardTransaction, tenant: str, wish: Wish, confirmation_id: UUID, sealed: bytes, expires_at: datetime
) -> None:
    await transaction.connection.execute(
        SQL.add_confirmation,
        transaction.shard,
        confirmation_id,
        tenant,
        wish.member_id,
        wish.account_id,
        wish.programme,
        wish.currency,
        format_points(wish.points, wish.scale),
        wish.till,
        sealed,
        transaction.now,
        expires_at,
    )


async def _send(transaction: ShardTransaction, tenant: str, wish: Wish, letter: Letter, cipher: Cipher) -> None:
    """Have the code sent like every message: claimed, tried again, and on the list of deliveries without the code."""
    delivery_id = derive("delivery", letter.confirmation_id, CHANNEL)
    facts = {
        "amounts": [{"currency": wish.currency, "scale": wish.scale, "points": wish.points}],
        "till": wish.till,
        "valid_until": letter.valid_until,
        SEALED_CODE: sealed_code(letter.code, delivery_id, cipher),
    }
    await transaction.connection.fetch(
        SQL.add_deliveries,
        transaction.shard,
        [delivery_id],
        [tenant],
        [wish.member_id],
        [wish.account_id],
        [wish.programme],
        [str(letter.confirmation_id)],
        [CONFIRMATION],
        [CHANNEL],
        [letter.language],
        [orjson.dumps(facts).decode()],
        [letter.traceparent],
        transaction.now,
    )
