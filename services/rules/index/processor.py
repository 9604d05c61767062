"""The processor of the purchase index: entries and returns of one shard in, returns passed on to their account."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Literal
from uuid import UUID

from services.rules.domain.purchase_index import IndexedPurchase
from services.rules.identify.catalogue import ProgrammeCatalogue
from services.rules.index.batch import Batch, Loaded
from services.rules.index.readings import Entering, Faulty, Reading, Returning, key_of, read
from services.rules.index.storage import Storage
from services.rules.privacy import Vault
from services.runtime.messages import Message
from services.runtime.shard import ShardTransaction, Verdict


class IndexProcessor:
    """Takes in entries and returns; see `services.rules.domain.purchase_index`."""

    name = "index"

    def __init__(self, catalogue: ProgrammeCatalogue, vault: Vault, *, ahead_max: timedelta) -> None:
        """`ahead_max` is how far a source's clock may run ahead of this one."""
        self._catalogue = catalogue
        self._storage = Storage(vault)
        self._ahead_max = ahead_max

    def key_of(self, message: Message) -> str:
        """The purchase id."""
        return key_of(message)

    async def process(self, transaction: ShardTransaction, messages: Sequence[Message]) -> Sequence[Verdict]:
        """Take the messages in, each once, in their order."""
        readings = [read(message) for message in messages]
        purchase_keys = {each.purchase_key for each in readings if not isinstance(each, Faulty)}
        return_keys = [each.key for each in readings if isinstance(each, Returning)]
        programmes = await self._programmes(readings)
        purchases, returns, waiting = await self._storage.purchases(transaction, purchase_keys, return_keys)
        refused = await self._storage.refused(transaction, _may_be_refused(readings, purchases))
        loaded = Loaded(purchases, returns, waiting, refused, programmes)
        batch = Batch(loaded, transaction.now, self._ahead_max)
        verdicts = [_decide(batch, reading) for reading in readings]
        for entry in batch.changes.entries:
            transaction.append(entry)
        await self._storage.write(transaction, batch.changes)
        return verdicts

    async def _programmes(self, readings: Iterable[Reading]) -> frozenset[tuple[str, str]]:
        named = {(each.origin.tenant, each.programme) for each in readings if isinstance(each, Returning)}
        return frozenset([each for each in named if await self._catalogue.find(*each) is not None])


class EntryProcessor(IndexProcessor):
    """Takes in entries alone, which identification validated and published."""

    trusts: Literal[True] = True


def _decide(batch: Batch, reading: Reading) -> Verdict:
    if isinstance(reading, Entering):
        return batch.enter(reading)
    return batch.reject(reading) if isinstance(reading, Faulty) else batch.take_back(reading)


def _may_be_refused(readings: Iterable[Reading], purchases: dict[UUID, IndexedPurchase]) -> list[UUID]:
    """Subjects of messages that may have been refused before: returns, and purchases that contradict the index."""
    keys = []
    for reading in readings:
        if not isinstance(reading, Entering):
            keys.append(reading.key)
            continue
        known = purchases[reading.purchase_key].entry
        if known is not None and known.fingerprint != reading.entry.fingerprint:
            keys.append(reading.purchase_key)
    return keys
