"""The ledger's verdict on each command that a decision sent: booked, or refused with a code."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from services.rules.decide.readings import uuid_of
from services.rules.decide.storage import SQL
from services.runtime.messages import Message
from services.runtime.shard import ShardTransaction, Verdict

REJECTED: Final = "bonus.command.rejected.v1"
_ANSWERS: Final = frozenset(
    {
        REJECTED,
        "bonus.account.opened.v1",
        "bonus.points.accrued.v1",
        "bonus.points.reversed.v1",
        "bonus.points.redeemed.v1",
        "bonus.points.restored.v1",
        "bonus.hold.captured.v1",
        "bonus.tier.changed.v1",
    }
)
"""Events that may answer a command of a decision; what time does in the books (activation, expiry) is none."""


class VerdictProcessor:
    """Keeps what the ledger answered."""

    name = "verdicts"
    trusts: Final = True

    def wants(self, message_type: str, content: dict[str, Any]) -> bool:
        """Whether the event answers a command."""
        del content
        return message_type in _ANSWERS

    def key_of(self, message: Message) -> str:
        """The account."""
        return str(uuid_of(message.content["data"]["account_id"]))

    async def process(self, transaction: ShardTransaction, messages: Sequence[Message]) -> Sequence[Verdict]:
        """Keep the first answer to each command; a command is answered once, whatever comes twice."""
        answers: dict[UUID, str | None] = {}
        for message in messages:
            data = message.content["data"]
            code = data["refusal"]["code"] if message.type == REJECTED else None
            answers.setdefault(UUID(data["command_id"]), code)
        await transaction.connection.execute(
            SQL.add_verdicts, transaction.shard, list(answers), list(answers.values()), transaction.now
        )
        return [Verdict("applied")] * len(messages)
