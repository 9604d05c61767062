"""What rules published of the programmes: kept as it came, and looked up by every command that comes here directly."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from contracts.programmes import ProgrammePublished, ProgrammeState
from services.ledger.domain.guards import UNGUARDED, Guards, guards_at
from services.ledger.intake import Scales
from services.ledger.storage import SQL
from services.runtime.messages import Message, invalid_data
from services.runtime.postgres import Pool, is_world_fault
from services.runtime.shard import ShardTransaction, Verdict

log = structlog.get_logger(__name__)

_OVERLAP: Final = timedelta(minutes=1)
"""How far before the last row seen a poll looks: shards commit in no order between them."""

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Programmes:
    """A copy of the programmes in this process, and what is known of their currencies."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, str], ProgrammeState] = {}
        self._seen_until = _LONG_AGO
        self.scales = Scales({})

    def guards(self, tenant: str, programme: str, at: datetime) -> Guards:
        """The terms in force; without a published programme nothing is limited but the books themselves."""
        state = self._states.get((tenant, programme))
        return UNGUARDED if state is None else guards_at(state, at)

    def state(self, tenant: str, programme: str) -> ProgrammeState | None:
        """What was published; None: nothing yet."""
        return self._states.get((tenant, programme))

    def names(self, tenant: str) -> list[str]:
        """The tenant's published programmes."""
        return sorted(programme for owner, programme in self._states if owner == tenant)

    async def refresh(self, pool: Pool) -> None:
        """Read what was published since the last look."""
        rows = await pool.fetch(SQL.programmes, self._seen_until - _OVERLAP)
        for row in rows:
            known = self._states.get((row["tenant"], row["programme"]))
            if known is None or known.revision < row["revision"]:
                self.learn(row["tenant"], ProgrammeState.model_validate_json(row["state"]))
            self._seen_until = max(self._seen_until, row["recorded_at"])

    def learn(self, tenant: str, state: ProgrammeState) -> None:
        """Take over a state."""
        self._states[tenant, state.programme] = state
        for version in state.versions:
            for terms in version.currencies:
                self.scales.known[tenant, state.programme, terms.currency] = terms.scale

    async def keep_fresh(self, pool: Pool, interval_s: float) -> None:
        """Refresh until cancelled; a copy that cannot be refreshed for now stays as it is."""
        while True:
            try:
                await self.refresh(pool)
            except Exception as error:
                if not is_world_fault(error):
                    raise
                log.warning("programmes not refreshed", reason=str(error))
            await asyncio.sleep(interval_s)


class ProgrammeProcessor:
    """Keeps what comes on the programmes' topic. A revision that is not newer changes nothing."""

    name = "ledger-programmes"

    def key_of(self, message: Message) -> str:
        """Tenant and programme, as the topic is keyed."""
        if not isinstance(message.event, ProgrammePublished):
            raise invalid_data(message.problems)
        return f"{message.tenant}/{message.event.data.programme}"

    async def process(self, transaction: ShardTransaction, messages: Sequence[Message]) -> Sequence[Verdict]:
        """Keep the newest revision of each programme."""
        newest: dict[tuple[str, str], ProgrammeState] = {}
        for message in messages:
            if not isinstance(message.event, ProgrammePublished):
                raise invalid_data(message.problems)
            state = message.event.data
            known = newest.get((message.tenant, state.programme))
            if known is None or known.revision < state.revision:
                newest[message.tenant, state.programme] = state
        await transaction.connection.execute(
            SQL.keep_programmes,
            transaction.shard,
            [tenant for tenant, _ in newest],
            [programme for _, programme in newest],
            [state.revision for state in newest.values()],
            [state.model_dump_json() for state in newest.values()],
            transaction.now,
        )
        return [Verdict("applied")] * len(messages)
