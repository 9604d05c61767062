"""The budgets worker: asks come to the home of their campaign, answers to the account that asked."""

from collections.abc import Sequence
from typing import Final

from services.rules.budgets import answers, home
from services.rules.decide.asks import ASKED, campaign_key
from services.rules.decide.readings import uuid_of
from services.runtime.messages import Message
from services.runtime.shard import ShardTransaction, Verdict


class BudgetProcessor:
    """Grants in the order in which it is asked, and tells the ledger of what was granted."""

    name = "budgets"
    trusts: Final = True
    """Its messages are published by this service itself: see `decoding.decode`."""

    def key_of(self, message: Message) -> str:
        """Of an ask the campaign, of an answer the account."""
        data = message.content["data"]
        if message.type == ASKED:
            return campaign_key(message.tenant, data["programme"], data["campaign"])
        return str(uuid_of(data["account_id"]))

    async def process(self, transaction: ShardTransaction, messages: Sequence[Message]) -> Sequence[Verdict]:
        """Take in asks and answers; each counts once, whatever comes twice."""
        asked = [message for message in messages if message.type == ASKED]
        answered = [message for message in messages if message.type != ASKED]
        verdicts = await home.take(transaction, asked) | await answers.take(transaction, answered)
        return [verdicts[id(message)] for message in messages]
