"""The ledger's verdict on each command that a decision sent: booked, or refused with a code.

A refused award gives back what it has counted: what is given once, or so many times a day, can be given again.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

import orjson

from contracts.ids import command_of
from services.rules.decide.readings import uuid_of
from services.rules.decide.state import without_counted
from services.rules.decide.storage import SQL, asked_of
from services.rules.domain.budgets import still_counted
from services.runtime.messages import Message
from services.runtime.shard import ShardTransaction, Verdict

REJECTED: Final = "bonus.command.rejected.v1"
ANSWERS: Final = frozenset(
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
        return message_type in ANSWERS

    def key_of(self, message: Message) -> str:
        """The account."""
        return str(uuid_of(message.content["data"]["account_id"]))

    async def process(self, transaction: ShardTransaction, messages: Sequence[Message]) -> Sequence[Verdict]:
        """Keep the first answer to each command; a command is answered once, whatever comes twice."""
        answers: dict[UUID, str | None] = {}
        decisions: dict[UUID, UUID] = {}
        for message in messages:
            data = message.content["data"]
            command_id = UUID(data["command_id"])
            answers.setdefault(command_id, data["refusal"]["code"] if message.type == REJECTED else None)
            if message.type == REJECTED and data.get("decision_id"):
                decisions[command_id] = UUID(data["decision_id"])
        rows = await transaction.connection.fetch(
            SQL.add_verdicts, transaction.shard, list(answers), list(answers.values()), transaction.now
        )
        new = {row["command_id"] for row in rows}
        refused = {decision_id for command_id, decision_id in decisions.items() if command_id in new}
        # A decision makes one accrual; what else of it was refused has counted nothing.
        await _give_back(transaction, [each for each in refused if command_of("accrue", each) in new])
        await _give_back_asked(transaction, refused, new)
        return [Verdict("applied")] * len(messages)


async def _give_back(transaction: ShardTransaction, decisions: Collection[UUID]) -> None:
    """Give participants back what refused awards have counted."""
    if not decisions:
        return
    states: dict[UUID, bytes] = {}
    for row in await transaction.connection.fetch(SQL.find_counted, transaction.shard, list(decisions)):
        counted = orjson.loads(row["record"]).get("counted", {})
        state = states.get(row["account_id"], row["state"])
        states[row["account_id"]] = without_counted(state, counted)
    await transaction.connection.execute(SQL.save_states, transaction.shard, list(states), list(states.values()))


async def _give_back_asked(
    transaction: ShardTransaction, decisions: Collection[UUID], refused: Collection[UUID]
) -> None:
    """Give participants back what was counted for awards that a budget granted and the ledger refused."""
    if not decisions:
        return
    states: dict[UUID, bytes] = {}
    for row in await transaction.connection.fetch(SQL.find_asks_counted, transaction.shard, list(decisions)):
        ask = asked_of(row)
        if ask.accrual_id in refused:
            state = states.get(row["account_id"], row["state"])
            states[row["account_id"]] = without_counted(state, still_counted(ask))
    if states:
        await transaction.connection.execute(SQL.save_states, transaction.shard, list(states), list(states.values()))
