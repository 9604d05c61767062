"""The messages of one transaction, decided in memory one after the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.rules.domain import identifier as domain
from services.rules.domain.identifier import Arrival, Block, Event, Holder, Identifier, Link
from services.rules.domain.membership import MembershipTerms
from services.rules.domain.refusals import Refusal
from services.rules.identify import publishing
from services.rules.identify.changes import (
    IDENTIFIED,
    NO_MEMBER,
    WAITING,
    Changes,
    IdentifierKey,
    Known,
    facts_of,
)
from services.rules.identify.enrolments import enrolment_on_sight, facts_in, other_names
from services.rules.identify.taken import Claiming, Enrolling, Faulty, Linking, Taken
from services.rules.incoming import Mark, Origin, fingerprint_of
from services.rules.refusals.refused import Refused
from services.runtime.shard import Verdict

_TIME_FIELDS = {"purchase": "purchased_at", "activity": "occurred_at", "facts": "known_at", "award": "occurred_at"}


@dataclass(slots=True)
class Loaded:
    """What was known before the batch, as far as it needs it.

    `identifiers` has every identifier of the batch; `waiting` what waits under those that may get a holder.
    """

    known: dict[UUID, Known]
    refused: dict[Mark, Refusal]
    identifiers: dict[IdentifierKey, Identifier]
    waiting: dict[UUID, Taken]
    terms: Mapping[tuple[str, str], MembershipTerms | None]


class Batch:
    """Decides readings in order; what follows gathers in `changes`."""

    def __init__(self, loaded: Loaded, now: datetime, ahead_max: timedelta) -> None:
        self.changes = Changes(now)
        self._known = loaded.known
        self._refused = loaded.refused
        self._identifiers = loaded.identifiers
        self._waiting = loaded.waiting
        self._terms = loaded.terms
        self._now = now
        self._latest = now + ahead_max

    def reject(self, faulty: Faulty) -> Verdict:
        """Refuse what its type does not allow, with the first of its problems."""
        problem = faulty.problems[0]
        refusal = Refusal(problem.code, problem.message, problem.field)
        programme, subject_id = faulty.programme, faulty.subject_id
        return self._refuse(Refused(faulty.key, faulty.kind, programme, subject_id, refusal, faulty.origin))

    def take(self, taken: Taken, at: IdentifierKey | None) -> Verdict:
        """Take in what came under the identifier `at`; None: it names no member."""
        known = self._known.get(taken.key)
        if known is not None:
            return self._again(taken, known)
        if self._refused and taken.mark in self._refused:
            # Judged then, at the time it was; a replay must not judge it anew.
            return _refused_before(self._refused[taken.mark])
        refusal = self._unfit(taken)
        if refusal is not None:
            return self._refuse(self._refused_taken(taken, refusal))
        if at is None:
            self._keep_until(taken)
            self._settle(taken, NO_MEMBER)
            self._waiting[taken.key] = taken
            self.changes.entries.append(publishing.indexed(taken, None, self._now))
            return Verdict("waiting", NO_MEMBER, {"status": NO_MEMBER})
        events = domain.take_in(taken.arrival, self._identifiers[at], self._terms_of(taken.programme, taken.origin))
        self._apply(events, at, taken)
        return self._verdict_on(taken)

    def _again(self, taken: Taken, known: Known) -> Verdict:
        """It came before: the same, or something else under the same id."""
        if known.fingerprint == taken.fingerprint:
            return Verdict("duplicate", known.verdict, {"status": known.verdict, "account_id": known.account_id})
        refused = self._refused_taken(taken, Refusal.conflict(taken.refused_kind, taken.subject_id))
        refused.facts = {"first": known.facts, "second": facts_of(taken)}
        return self._refuse(refused, "conflict")

    def _unfit(self, taken: Taken) -> Refusal | None:
        """Why it cannot be judged at all."""
        at = taken.arrival.at
        if at > self._latest:
            return Refusal.time_in_future(at, self._now, f"$.data.{_TIME_FIELDS[taken.arrival.kind]}")
        terms = self._terms[taken.origin.tenant, taken.programme]
        if terms is None:
            return Refusal.unknown_programme(taken.programme)
        if taken.purchase is not None and taken.purchase.currency != terms.money:
            return Refusal.wrong_currency(taken.purchase.currency, terms.money)
        return None

    def enrol(self, enrolling: Enrolling, at: IdentifierKey) -> Verdict:
        """Let a member join under the identifier `at`."""
        if enrolling.key in self._known:
            answer = {"status": IDENTIFIED, "account_id": self._known[enrolling.key].account_id}
            return Verdict("duplicate", IDENTIFIED, answer)
        if enrolling.mark in self._refused:
            return _refused_before(self._refused[enrolling.mark])
        refusal = self._unfit_enrolment(enrolling)
        if refusal is not None:
            return self._refuse(self._refused_enrolment(enrolling, refusal))
        terms = self._terms_of(enrolling.programme, enrolling.origin)
        decided = domain.enrol(enrolling.command, self._identifiers[at], terms)
        if isinstance(decided, Refusal):
            return self._refuse(self._refused_enrolment(enrolling, decided), "conflict")
        self._apply(decided, at, enrolling)
        holder = next(event.holder for event in decided if isinstance(event, domain.Enrolled | domain.EnrolledAgain))
        self.changes.enrolments[enrolling.key] = (enrolling, holder)
        self._known[enrolling.key] = Known(enrolling.fingerprint, IDENTIFIED, holder.account_id)
        answer = {"status": IDENTIFIED, "account_id": holder.account_id, "member_id": holder.member_id}
        return Verdict("applied", None, answer)

    def _unfit_enrolment(self, enrolling: Enrolling) -> Refusal | None:
        if enrolling.command.at > self._latest:
            return Refusal.time_in_future(enrolling.command.at, self._now, "$.data.enrolled_at")
        if self._terms[enrolling.origin.tenant, enrolling.programme] is None:
            return Refusal.unknown_programme(enrolling.programme)
        return None

    def link(self, linking: Linking, at: IdentifierKey) -> Verdict:
        """Put the identifier `at` on an account, or take it out of use."""
        if linking.mark in self._refused:
            return _refused_before(self._refused[linking.mark])
        identifier = self._identifiers[at]
        if isinstance(linking.command, Block):
            decided: list[Event] | Refusal = domain.block(linking.command, identifier)
        else:
            decided = domain.link(linking.command, identifier, self._terms_of(linking.programme, linking.origin))
        if isinstance(decided, Refusal):
            origin = linking.origin
            refused = Refused(linking.mark[0], "activity", linking.programme, origin.id, decided, origin)
            return self._refuse(refused, "conflict")
        if decided and linking.enrolment is not None and isinstance(linking.command, Link):
            holder, print_ = linking.command.holder, fingerprint_of(linking.enrolment)
            entry = publishing.enrolled(holder, linking.enrolment, print_, linking.origin, self._now)
            self.changes.entries.append(entry)
        self._apply(decided, at, linking)
        return Verdict("applied" if decided else "duplicate", None, {"status": "linked"})

    def claim(self, claiming: Claiming) -> Verdict:
        """Give a purchase that named no member to who shows its receipt."""
        known, holder = self._known.get(claiming.key), claiming.holder
        taken = self._waiting.get(claiming.key)
        if known is not None and known.account_id == holder.account_id:
            return Verdict("duplicate", IDENTIFIED, {"status": IDENTIFIED})
        decided: domain.PassedOn | Refusal
        if known is None:
            decided = Refusal.purchase_unknown(claiming.purchase_id)
        elif known.verdict != NO_MEMBER or taken is None:
            decided = Refusal.not_claimable(claiming.purchase_id)
        else:
            terms = self._terms_of(claiming.programme, claiming.origin)
            decided = domain.claim(taken.arrival, holder, terms, self._now)
        if isinstance(decided, Refusal):
            return Verdict("refused", decided.code, _answer(decided))
        self._pass_on(self._waiting.pop(claiming.key), holder)
        return Verdict("applied", None, {"status": IDENTIFIED})

    def give_up(self, key: UUID) -> Verdict:
        """Keep something no longer that nobody can claim."""
        taken = self._waiting.get(key)
        if taken is None:
            return Verdict("duplicate")
        terms = self._terms_of(taken.programme, taken.origin)
        if taken.name is None:
            until = terms.claimable_until(taken.arrival.at)
            if until is None or self._now < until:
                return Verdict("waiting", NO_MEMBER)
            del self._waiting[key]
            self.changes.given_up.append(key)
            return Verdict("applied", NO_MEMBER)
        at = next((at for at, each in self._identifiers.items() if taken.arrival in each.waiting), None)
        if at is None:
            return Verdict("duplicate")
        events = domain.give_up(taken.arrival, self._identifiers[at], terms, self._now)
        self._apply(events, at, taken)
        if events:
            del self._waiting[key]
        return Verdict("applied" if events else "waiting", WAITING)

    def _apply(self, events: list[Event], at: IdentifierKey, cause: Taken | Enrolling | Linking) -> None:
        """Make what was decided so, in order."""
        identifier = self._identifiers[at]
        for event in events:
            match event:
                case domain.PassedOn(arrival, holder):
                    self._pass_on(self._taken(arrival, cause), holder)
                case domain.TurnedAway(arrival, refusal):
                    self._turn_away(self._taken(arrival, cause), refusal)
                case domain.KeptWaiting() if isinstance(cause, Taken):
                    self._keep_until(cause)
                    self._waiting[cause.key] = cause
                    self._settle(cause, WAITING)
                case domain.Enrolled(holder, since, origin):
                    self._announce(holder, since, origin, cause, identifier)
                case domain.EnrolledAgain(holder, since) if isinstance(cause, Enrolling):
                    self._announce_again(holder, since, cause)
                case _:
                    # A link or a block is all in the state.
                    pass
        after = domain.fold(identifier, events)
        if after is not identifier:
            self._identifiers[at] = after
            self.changes.identifiers[at] = after

    def _taken(self, arrival: Arrival, cause: Taken | Enrolling | Linking) -> Taken:
        if isinstance(cause, Taken) and cause.arrival is arrival:
            return cause
        return self._waiting.pop(arrival.key)

    def _pass_on(self, taken: Taken, holder: Holder) -> None:
        self._settle(taken, IDENTIFIED, holder)
        self.changes.entries.append(publishing.passed_on(taken, holder, self._now))
        if taken.purchase is not None:
            self.changes.entries.append(publishing.indexed(taken, holder, self._now))

    def _turn_away(self, taken: Taken, refusal: Refusal) -> None:
        self._settle(taken, refusal.code)
        self.changes.entries.append(self._refused_taken(taken, refusal).verdict(self._now))
        if taken.purchase is not None:
            # Its returns come to nothing too, but they must not wait for ever.
            self.changes.entries.append(publishing.indexed(taken, None, self._now))

    def _announce(
        self,
        holder: Holder,
        since: datetime,
        origin: domain.Origin,
        cause: Taken | Enrolling | Linking,
        identifier: Identifier,
    ) -> None:
        """Tell the account that it has a member, and the member's other identifiers whose they are."""
        if origin == "sight" or not isinstance(cause, Enrolling):
            enrolment: Mapping[str, Any] = enrolment_on_sight(identifier.name, holder, since)
            print_, others = fingerprint_of(enrolment), other_names(holder, identifier.name, ())
        else:
            enrolment, print_ = cause.data, cause.fingerprint
            others = other_names(holder, identifier.name, cause.others)
        entries = self.changes.entries
        entries.append(publishing.enrolled(holder, enrolment, print_, cause.origin, self._now))
        entries.extend(publishing.linked(name, holder, since, cause.origin, self._now) for name in others)

    def _announce_again(self, holder: Holder, since: datetime, cause: Enrolling) -> None:
        """Tell what is new about a member who is in the programme already."""
        entries = self.changes.entries
        entries.extend(
            publishing.linked(name, holder, since, cause.origin, self._now)
            for name in other_names(holder, cause.name, cause.others)
        )
        facts = facts_in(cause)
        if facts is not None:
            entries.append(publishing.passed_on(facts, holder, self._now))

    def _terms_of(self, programme: str, origin: Origin) -> MembershipTerms:
        # A link is for an account that there is, so its programme was known once: then what waits can be claimed.
        return self._terms[origin.tenant, programme] or MembershipTerms(programme, "", "UTC")

    def _keep_until(self, taken: Taken) -> None:
        # Facts are about the member alone, whenever they were said.
        if taken.arrival.kind != "facts":
            terms = self._terms_of(taken.programme, taken.origin)
            taken.kept_until = terms.claimable_until(taken.arrival.at)

    def _verdict_on(self, taken: Taken) -> Verdict:
        settled = self.changes.settled[taken.key]
        if settled.holder is not None:
            answer = {"status": IDENTIFIED, "account_id": settled.holder.account_id}
            return Verdict("applied", None, answer)
        kind = "waiting" if settled.verdict == WAITING else "refused"
        return Verdict(kind, settled.verdict, {"status": settled.verdict})

    def _settle(self, taken: Taken, verdict: str, holder: Holder | None = None) -> None:
        self.changes.settle(taken, verdict, holder)
        self._known[taken.key] = Known.of(taken, verdict, holder)

    def _refused_taken(self, taken: Taken, refusal: Refusal) -> Refused:
        return Refused(taken.key, taken.refused_kind, taken.programme, taken.subject_id, refusal, taken.origin)

    def _refused_enrolment(self, enrolling: Enrolling, refusal: Refusal) -> Refused:
        origin = enrolling.origin
        return Refused(enrolling.mark[0], "activity", enrolling.programme, origin.id, refusal, origin)

    def _refuse(self, refused: Refused, kind: str = "refused") -> Verdict:
        """Refuse a message once: the same one again is known."""
        refusal, origin = refused.refusal, refused.origin
        mark = (refused.subject_key, origin.source, origin.id)
        if mark in self._refused:
            return _refused_before(self._refused[mark])
        self._refused[mark] = refusal
        self.changes.refused.append(refused)
        self.changes.entries.append(refused.verdict(self._now))
        return Verdict(kind, refusal.code, _answer(refusal) | dict(refused.facts or {}))


def _refused_before(refusal: Refusal) -> Verdict:
    return Verdict("duplicate", refusal.code, _answer(refusal))


def _answer(refusal: Refusal) -> dict[str, Any]:
    return {"status": "rejected", "code": refusal.code, "message": refusal.message, "field": refusal.field}
