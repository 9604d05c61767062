"""How many decimals currencies have, from the books themselves: for accounts whose programme is not published here."""

from collections.abc import Sequence
from uuid import UUID

from services.ledger.intake import Scales
from services.ledger.storage import SQL
from services.ledger.storage.load import Reading


async def learn_scales(reading: Reading, accounts: Sequence[UUID], scales: Scales) -> None:
    """Read the currencies of these accounts into `scales`."""
    rows = await reading.connection.fetch(SQL.scales, reading.shard, accounts)
    for row in rows:
        scales.known[row["tenant"], row["programme"], row["currency"]] = row["scale"]
