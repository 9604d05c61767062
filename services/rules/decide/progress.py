"""Progress for queries: a participant's state with what counts, read without a lock."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from contracts.shards import shard_of
from services.rules.decide.state import participant_of
from services.rules.decide.storage import SQL, contributions_of
from services.rules.domain.participant import Background, PublishedProgramme
from services.rules.domain.progress import Progress, bands_of, progress_of
from services.runtime.postgres import Pool


async def progress_at(pool: Pool, account_id: UUID, programme: PublishedProgramme, at: datetime) -> Progress | None:
    """How far an account is at `at`; None where it is not known yet, or the programme has no tiers."""
    shard = shard_of(str(account_id))
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        rows = await connection.fetch(SQL.find_participants, shard, [account_id])
        if not rows:
            return None
        participant = participant_of(rows[0], {})
        wanted = [(account_id, *band) for band in bands_of(participant, programme, at)]
        columns: Sequence[list[object]] = [list(column) for column in zip(*wanted, strict=True)] or [[], [], []]
        found = await connection.fetch(SQL.find_contributions, shard, *columns)
    return progress_of(participant, Background(programme, contributions_of(found)), at)
