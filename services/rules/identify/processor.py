"""The processor of identification: messages of one shard in, purchases taken in and passed on."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from services.rules.domain.identifier import Identifier, KeptWaiting, evolve
from services.rules.domain.membership import MembershipTerms
from services.rules.identify.batch import Batch, Loaded
from services.rules.identify.catalogue import ProgrammeCatalogue
from services.rules.identify.changes import IdentifierKey
from services.rules.identify.storage import Storage
from services.rules.identify.taken import (
    Claiming,
    Enrolling,
    Faulty,
    Linking,
    Reading,
    Taken,
    Unclaimed,
    identifier_in,
    key_of,
    read,
)
from services.rules.privacy import Pseudonyms, Vault
from services.runtime.messages import Message
from services.runtime.shard import ShardTransaction, Verdict

Terms = dict[tuple[str, str], MembershipTerms | None]
Subject = Taken | Enrolling | Linking | Claiming | Faulty
OfKept = Claiming | Unclaimed
"""Readings about something that was kept, which must be at hand."""


class IdentifyProcessor:
    """Takes in purchases, activities, enrolments, facts, links and blocks; see `services.rules.domain.identifier`."""

    name = "identify"

    def __init__(
        self, catalogue: ProgrammeCatalogue, pseudonyms: Pseudonyms, vault: Vault, *, ahead_max: timedelta
    ) -> None:
        """`ahead_max` is how far a source's clock may run ahead of this one."""
        self._catalogue = catalogue
        self._pseudonyms = pseudonyms
        self._storage = Storage(pseudonyms, vault)
        self._ahead_max = ahead_max

    def key_of(self, message: Message) -> str:
        """The identifier, `type:value`; a purchase without a member goes by its own id."""
        return key_of(message)

    def subject_of(self, message: Message) -> UUID | None:
        """Whoever holds the identifier: the subject is known without knowing who that is."""
        name = identifier_in(message)
        return None if name is None else self._pseudonyms.subject_of(message.tenant, name)

    async def process(self, transaction: ShardTransaction, messages: Sequence[Message]) -> Sequence[Verdict]:
        """Take the messages in, each once, in their order."""
        readings = [_read(message) for message in messages]
        kept = await self._storage.kept(transaction, {each.key for each in readings if isinstance(each, OfKept)})
        subjects = [*(each for each in readings if not isinstance(each, Unclaimed)), *kept]
        known, refused = await self._storage.known(transaction, [_subject(subject) for subject in subjects])
        terms = await self._terms(subjects)
        identifiers = await self._storage.identifiers(transaction, self._wanted(subjects))
        places = [self._place(reading) for reading in readings]
        waiting = await self._waiting(transaction, _may_get_holder(readings, places, identifiers, terms), identifiers)
        for taken in kept:
            if taken.key not in waiting:
                waiting[taken.key] = taken
                self._put(taken, self._place(taken), identifiers)
        before = dict(identifiers)
        batch = Batch(Loaded(known, refused, identifiers, waiting, terms), transaction.now, self._ahead_max)
        verdicts = [_decide(batch, reading, place) for reading, place in zip(readings, places, strict=True)]
        for entry in batch.changes.entries:
            transaction.append(entry)
        await self._storage.write(transaction, batch.changes, before)
        return verdicts

    async def _waiting(
        self,
        transaction: ShardTransaction,
        open_to: set[IdentifierKey],
        identifiers: dict[IdentifierKey, Identifier],
    ) -> dict[UUID, Taken]:
        """What waits under identifiers that may get a holder; they are made to hold it."""
        waiting: dict[UUID, Taken] = {}
        if open_to:
            for place, kept in (await self._storage.waiting(transaction, open_to)).items():
                for taken in kept:
                    waiting[taken.key] = taken
                    self._put(taken, place, identifiers)
        return waiting

    @staticmethod
    def _put(taken: Taken, place: IdentifierKey | None, identifiers: dict[IdentifierKey, Identifier]) -> None:
        if place is not None:
            identifiers[place] = evolve(identifiers[place], KeptWaiting(taken.arrival))

    def _place(self, reading: Reading) -> IdentifierKey | None:
        if isinstance(reading, Faulty | Claiming | Unclaimed) or reading.name is None:
            return None
        return (self._pseudonyms.of(reading.origin.tenant, reading.name), reading.programme)

    def _wanted(self, subjects: Iterable[Subject]) -> dict[IdentifierKey, tuple[str, str]]:
        """Tenant and name of every identifier that the batch is about."""
        wanted = {}
        for subject in subjects:
            place = self._place(subject)
            if place is not None and not isinstance(subject, Faulty | Claiming):
                wanted[place] = (subject.origin.tenant, subject.name or "")
        return wanted

    async def _terms(self, subjects: Iterable[Subject]) -> Terms:
        programmes = {(each.origin.tenant, each.programme) for each in subjects if not isinstance(each, Faulty)}
        return {each: await self._catalogue.find(*each) for each in programmes}


def _read(message: Message) -> Reading:
    return message.payload if isinstance(message.payload, OfKept) else read(message)


def _decide(batch: Batch, reading: Reading, place: IdentifierKey | None) -> Verdict:
    if isinstance(reading, Taken):
        return batch.take(reading, place)
    if isinstance(reading, Faulty):
        return batch.reject(reading)
    if isinstance(reading, Claiming):
        return batch.claim(reading)
    if isinstance(reading, Unclaimed):
        return batch.give_up(reading.key)
    if place is None:
        raise TypeError(f"{type(reading).__name__} without an identifier")
    return batch.enrol(reading, place) if isinstance(reading, Enrolling) else batch.link(reading, place)


def _subject(reading: Subject) -> UUID:
    """The business key under which it may be known; of a link, which its identifier knows, the message."""
    if isinstance(reading, Linking):
        return reading.mark[0]
    return reading.key


def _may_get_holder(
    readings: Iterable[Reading],
    places: Iterable[IdentifierKey | None],
    identifiers: dict[IdentifierKey, Identifier],
    terms: Terms,
) -> set[IdentifierKey]:
    """Identifiers that nobody holds and that this batch may give a holder: what waits under them must be at hand."""
    found = set()
    for reading, place in zip(readings, places, strict=True):
        if place is None or identifiers[place].holdings:
            continue
        if isinstance(reading, Taken):
            known_terms = terms[reading.origin.tenant, reading.programme]
            if known_terms is None or not known_terms.enrols_on_sight:
                continue
        found.add(place)
    return found
