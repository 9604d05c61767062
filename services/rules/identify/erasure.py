"""Erasing a member: identifiers out of use, everybody told, keys destroyed. It cannot be undone.

Each step may be done again: what stops half-way is done whole by the same request sent again.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from uuid import UUID

from contracts.ids import event_of
from contracts.shards import shard_of
from services.rules.identify.queries import HoldingRow
from services.rules.privacy import Vault, subject_of_hash
from services.rules.publishing import entry
from services.runtime.postgres import Pool
from services.runtime.writer import ShardWriter

MEMBER_ERASED = "bonus.member.erased.v1"

BlockOne = Callable[[HoldingRow], Awaitable[None]]
"""Takes one identifier out of use."""


async def erase(  # noqa: PLR0913 - what an erasure stands on, all by name
    holdings: Sequence[HoldingRow],
    *,
    tenant: str,
    block: BlockOne,
    writer: ShardWriter,
    vault: Vault,
    pool: Pool,
    traceparent: str | None,
) -> None:
    """Erase the member that holds `holdings`; there is at least one."""
    for holding in holdings:
        if holding.blocked_since is None and holding.name is not None:
            await block(holding)
    member_id = holdings[0].member_id
    async with writer.transaction(shard_of(f"member:{member_id}")) as transaction:
        for account_id, programme in dict.fromkeys((each.account_id, each.programme) for each in holdings):
            transaction.append(
                entry(
                    MEMBER_ERASED,
                    event_of(MEMBER_ERASED, account_id, str(member_id)),
                    key=str(account_id),
                    tenant=tenant,
                    data=_noticed(account_id, member_id, programme, transaction.now),
                    now=transaction.now,
                    traceparent=traceparent,
                )
            )
    # Last: while the keys are there, a request that stopped before this can be done again.
    # What was set aside under an identifier has that identifier for a subject: nobody had read whose it was.
    await vault.destroy(pool, [member_id, *{subject_of_hash(holding.identifier) for holding in holdings}])


def _noticed(account_id: UUID, member_id: UUID, programme: str, now: datetime) -> dict[str, object]:
    return {"account_id": account_id, "member_id": member_id, "programme": programme, "effective_at": now}
