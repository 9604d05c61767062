"""The messages of one transaction of the index, decided in memory one after the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from contracts.amounts import format_decimal
from contracts.ids import event_of
from services.rules.domain import purchase_index as domain
from services.rules.domain.identifier import Holder
from services.rules.domain.purchase_index import Entry, IndexedPurchase, Return
from services.rules.domain.refusals import Refusal
from services.rules.incoming import Mark
from services.rules.index.readings import Entering, Faulty, Returning
from services.rules.publishing import PURCHASE_CONFLICTED, RETURN_INDEXED, entry, holder_data
from services.rules.refusals.refused import Refused
from services.runtime.shard import LogEntry, Verdict

ReturnVerdict = Literal["applied", "waiting", "nobody"]
"""`nobody`: it is counted, and nobody earned by the purchase."""


@dataclass(frozen=True, slots=True)
class KnownReturn:
    """A return that was taken in."""

    fingerprint: bytes
    verdict: str
    facts: Mapping[str, Any]


@dataclass(slots=True)
class Loaded:
    """What was known before the batch. `purchases` has every purchase that it is about, as far as it is known."""

    purchases: dict[UUID, IndexedPurchase]
    returns: dict[UUID, KnownReturn]
    waiting: dict[UUID, Returning]
    """Returns that nobody was told of yet: their purchase is not known, or belongs to nobody."""
    refused: dict[Mark, Refusal]
    programmes: frozenset[tuple[str, str]]
    """Tenant and name of the programmes that there are, of those that the batch names."""


@dataclass(slots=True)
class Changes:
    """Rows to write and entries to append. `returns` has the verdict on each; None: it waited and is refused."""

    entries: list[LogEntry] = field(default_factory=list)
    indexed: list[Entering] = field(default_factory=list)
    claimed: list[tuple[UUID, Holder]] = field(default_factory=list)
    returns: dict[UUID, tuple[Returning, ReturnVerdict | None]] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)


class Batch:
    """Decides readings in order; what follows gathers in `changes`."""

    def __init__(self, loaded: Loaded, now: datetime, ahead_max: timedelta) -> None:
        self.changes = Changes()
        self._loaded = loaded
        self._now = now
        self._latest = now + ahead_max

    def enter(self, entering: Entering) -> Verdict:
        """Enter a purchase into the index, and apply the returns that waited for it."""
        purchases = self._loaded.purchases
        purchase = purchases[entering.purchase_key]
        events = domain.enter(entering.entry, purchase)
        if not events:
            return Verdict("duplicate")
        for event in events:
            match event:
                case domain.Indexed():
                    self.changes.indexed.append(entering)
                case domain.Claimed(holder):
                    self.changes.claimed.append((entering.purchase_key, holder))
                case domain.Contradicted():
                    return self._contradicted(entering, event)
                case domain.Returned(back) | domain.ReturnRefused(back):
                    self._settle(self._loaded.waiting.pop(back.key), event)
                case _:
                    pass
        purchases[entering.purchase_key] = domain.fold(purchase, events)
        return Verdict("applied")

    def take_back(self, returning: Returning) -> Verdict:
        """Take a return in."""
        known = self._loaded.returns.get(returning.key)
        if known is not None:
            return self._again(returning, known)
        if returning.mark in self._loaded.refused:
            return _refused_before(self._loaded.refused[returning.mark])
        refusal = self._unfit(returning)
        if refusal is not None:
            return self._refuse(_refused(returning, refusal))
        purchases = self._loaded.purchases
        purchase = purchases[returning.purchase_key]
        event = domain.take_back(returning.back, purchase)
        purchases[returning.purchase_key] = domain.evolve(purchase, event)
        return self._settle(returning, event)

    def reject(self, faulty: Faulty) -> Verdict:
        """Refuse what its type does not allow, with the first of its problems."""
        problem = faulty.problems[0]
        refusal = Refusal(problem.code, problem.message, problem.field)
        refused = Refused(faulty.key, "return", faulty.programme, faulty.return_id, refusal, faulty.origin)
        return self._refuse(refused)

    def _settle(self, returning: Returning, event: domain.Event) -> Verdict:
        match event:
            case domain.Returned(_, holder, remaining):
                verdict: ReturnVerdict = "applied" if holder else "nobody"
                self._know(returning, verdict)
                if holder:
                    self.changes.entries.append(_indexed_return(returning, holder, remaining, self._now))
                else:
                    # Whoever claims the purchase will have to hear of it.
                    self._loaded.waiting[returning.key] = returning
                return Verdict("applied", None, {"status": verdict})
            case domain.ReturnRefused(_, refusal):
                self._loaded.returns.pop(returning.key, None)
                if returning.kept:
                    self.changes.returns[returning.key] = (returning, None)
                else:
                    # It came and was refused in one batch: nothing of it was written yet.
                    self.changes.returns.pop(returning.key, None)
                return self._refuse(_refused(returning, refusal))
            case _:
                self._loaded.waiting[returning.key] = returning
                self._know(returning, "waiting")
                return Verdict("waiting", "purchase_unknown", {"status": "waiting"})

    def _know(self, returning: Returning, verdict: ReturnVerdict) -> None:
        self.changes.returns[returning.key] = (returning, verdict)
        self._loaded.returns[returning.key] = KnownReturn(returning.fingerprint, verdict, facts_of_return(returning))

    def _again(self, returning: Returning, known: KnownReturn) -> Verdict:
        if known.fingerprint == returning.fingerprint:
            return Verdict("duplicate", known.verdict, {"status": known.verdict})
        refused = _refused(returning, Refusal.conflict("return", returning.return_id))
        refused.facts = {"first": known.facts, "second": facts_of_return(returning)}
        return self._refuse(refused, "conflict")

    def _unfit(self, returning: Returning) -> Refusal | None:
        if returning.returned_at > self._latest:
            return Refusal.time_in_future(returning.returned_at, self._now, "$.data.returned_at")
        if (returning.origin.tenant, returning.programme) not in self._loaded.programmes:
            return Refusal.unknown_programme(returning.programme)
        return None

    def _contradicted(self, entering: Entering, event: domain.Contradicted) -> Verdict:
        """The purchase is known under another identifier: the first stands, and what this one earned is taken back."""
        refused = Refused(
            entering.purchase_key,
            "purchase",
            entering.programme,
            entering.purchase_id,
            Refusal.conflict("purchase", entering.purchase_id),
            entering.origin,
            {"first": facts_of_entry(event.first), "second": facts_of_entry(event.later)},
        )
        verdict = self._refuse(refused, "conflict")
        loser = event.loser
        if loser is not None and verdict.kind == "conflict":
            self.changes.entries.append(_conflicted(entering, loser, event.first.holder, self._now))
        return verdict

    def _refuse(self, refused: Refused, kind: str = "refused") -> Verdict:
        """Refuse a message once: the same one again is known."""
        if refused.mark in self._loaded.refused:
            return _refused_before(self._loaded.refused[refused.mark])
        self._loaded.refused[refused.mark] = refused.refusal
        self.changes.refused.append(refused)
        self.changes.entries.append(refused.verdict(self._now))
        return Verdict(kind, refused.refusal.code, _answer(refused.refusal) | dict(refused.facts or {}))


def facts_of_entry(entered: Entry) -> dict[str, Any]:
    """What tells two purchases under one id apart, for the person who must."""
    return {
        "account_id": str(entered.holder.account_id) if entered.holder else None,
        "at": entered.purchased_at.isoformat(),
        "total": format_decimal(sum(amount for _, _, amount in entered.lines)),
        "fingerprint": entered.fingerprint.hex(),
    }


def facts_of_return(returning: Returning) -> dict[str, Any]:
    """What tells two returns under one id apart."""
    return {
        "event_source": returning.origin.source,
        "event_id": returning.origin.id,
        "at": returning.returned_at.isoformat(),
        "total": format_decimal(sum(amount for _, _, amount in returning.back.lines)),
        "fingerprint": returning.fingerprint.hex(),
    }


def _refused(returning: Returning, refusal: Refusal) -> Refused:
    return Refused(returning.key, "return", returning.programme, returning.return_id, refusal, returning.origin)


def _refused_before(refusal: Refusal) -> Verdict:
    return Verdict("duplicate", refusal.code, _answer(refusal))


def _answer(refusal: Refusal) -> dict[str, Any]:
    return {"status": "rejected", "code": refusal.code, "message": refusal.message, "field": refusal.field}


def _indexed_return(
    returning: Returning, holder: Holder, remaining: tuple[tuple[int, int, int], ...], now: datetime
) -> LogEntry:
    return entry(
        RETURN_INDEXED,
        event_of(RETURN_INDEXED, returning.key),
        key=str(holder.account_id),
        tenant=returning.origin.tenant,
        data={
            "return_key": returning.key,
            "purchase_key": returning.purchase_key,
            "holder": holder_data(holder),
            "returned": returning.data,
            "remaining": [
                {"line": line, "quantity": format_decimal(quantity, 0), "amount": format_decimal(amount)}
                for line, quantity, amount in remaining
            ],
        },
        now=now,
        traceparent=returning.origin.traceparent,
    )


def _conflicted(entering: Entering, loser: Holder, first: Holder | None, now: datetime) -> LogEntry:
    return entry(
        PURCHASE_CONFLICTED,
        event_of(PURCHASE_CONFLICTED, entering.purchase_key, str(loser.account_id)),
        key=str(loser.account_id),
        tenant=entering.origin.tenant,
        data={
            "purchase_key": entering.purchase_key,
            "holder": holder_data(loser),
            "purchase_id": entering.purchase_id,
            "first_holder": holder_data(first) if first else None,
            "found_at": now,
        },
        now=now,
        traceparent=entering.origin.traceparent,
    )


__all__ = ["Batch", "Changes", "KnownReturn", "Loaded", "Return", "ReturnVerdict", "facts_of_return"]
