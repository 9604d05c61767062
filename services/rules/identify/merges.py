"""After a merge: the identifiers of the merged account buy for the account that took it up.

The ledger alone can say that two accounts were merged. What is bought between its word and the move of an identifier
still goes to the merged account, and the ledger passes it on.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from contracts.ids import account_of
from services.rules.domain.identifier import Holder
from services.rules.identify import publishing
from services.rules.identify.queries import HoldingRow, Queries
from services.rules.incoming import Origin
from services.rules.privacy import Pseudonyms, Vault
from services.runtime.messages import Message
from services.runtime.shard import ShardTransaction

ACCOUNT_MERGED: Final = "bonus.account.merged.v1"


class MergeFollower:
    """Tells the identifiers of merged accounts where they belong."""

    def __init__(self, pseudonyms: Pseudonyms, vault: Vault) -> None:
        self._pseudonyms = pseudonyms
        self._vault = vault

    async def follow(self, transaction: ShardTransaction, message: Message) -> int:
        """Hand over every identifier in use; gives how many. Told twice, it says the same twice."""
        data = message.content["data"]
        merged, survivor = UUID(data["account_id"]), UUID(data["details"]["into_account_id"])
        since = datetime.fromisoformat(data["effective_at"])
        # On this transaction's connection: one more from the pool might never come free.
        queries = Queries(transaction.connection, self._pseudonyms, self._vault)
        holdings = {each.identifier: each for each in await queries.holdings_of_account(message.tenant, merged)}
        owner = _owner(await queries.holdings_of_account(message.tenant, survivor), message.tenant, survivor)
        origin = Origin.of(message)
        moved = 0
        for holding in holdings.values():
            if holding.name is None or holding.blocked_since is not None:
                continue
            own = account_of(message.tenant, holding.programme, holding.member_id) == merged
            # Others of a household stay who they are.
            member_id = owner if own and owner is not None else holding.member_id
            holder = Holder(survivor, member_id, holding.programme, holding.card_category)
            transaction.append(
                publishing.linked(holding.name, holder, since, origin, transaction.now, moved_from=merged)
            )
            moved += 1
        return moved


def _owner(holdings: list[HoldingRow], tenant: str, account_id: UUID) -> UUID | None:
    """The member whose own account it is."""
    for each in holdings:
        if account_of(tenant, each.programme, each.member_id) == account_id:
            return each.member_id
    return None
