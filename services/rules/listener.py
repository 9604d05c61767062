"""What rules hears from the ledger: verdicts on what was decided, merges of accounts, and balances for quotes."""

from collections.abc import Sequence
from typing import Any

from services.rules.decide.verdicts import ANSWERS, VerdictProcessor
from services.rules.identify.merges import ACCOUNT_MERGED, MergeFollower
from services.rules.quotes.books import Books
from services.runtime.messages import Message
from services.runtime.shard import ShardTransaction, Verdict


class LedgerListener(VerdictProcessor):
    """Takes in the events of the books that matter here, each at the account it is about."""

    def __init__(self, merges: MergeFollower) -> None:
        self._merges = merges
        self._books = Books()

    def wants(self, message_type: str, content: dict[str, Any]) -> bool:
        """Every event of the books: each moves the account's version on, by which quotes say how fresh they are."""
        del message_type, content
        return True

    async def process(self, transaction: ShardTransaction, messages: Sequence[Message]) -> Sequence[Verdict]:
        """Keep answers and what is known of accounts, and follow merges."""
        answers = [message for message in messages if message.type in ANSWERS]
        if answers:
            await super().process(transaction, answers)
        await self._books.hear(transaction, messages)
        for message in messages:
            if message.type == ACCOUNT_MERGED:
                await self._merges.follow(transaction, message)
        return [Verdict("applied")] * len(messages)
