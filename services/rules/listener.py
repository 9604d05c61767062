"""What rules hears from the ledger: verdicts on what was decided, and merges of accounts."""

from collections.abc import Sequence
from typing import Any

from services.rules.decide.verdicts import VerdictProcessor
from services.rules.identify.merges import ACCOUNT_MERGED, MergeFollower
from services.runtime.messages import Message
from services.runtime.shard import ShardTransaction, Verdict


class LedgerListener(VerdictProcessor):
    """Takes in the events of the books that matter here, each at the account it is about."""

    def __init__(self, merges: MergeFollower) -> None:
        self._merges = merges

    def wants(self, message_type: str, content: dict[str, Any]) -> bool:
        """Whether the event answers a command, or says that an account was merged."""
        return message_type == ACCOUNT_MERGED or super().wants(message_type, content)

    async def process(self, transaction: ShardTransaction, messages: Sequence[Message]) -> Sequence[Verdict]:
        """Keep answers, and follow merges."""
        answers = [message for message in messages if message.type != ACCOUNT_MERGED]
        if answers:
            await super().process(transaction, answers)
        for message in messages:
            if message.type == ACCOUNT_MERGED:
                await self._merges.follow(transaction, message)
        return [Verdict("applied")] * len(messages)
