"""An identifier in one programme: who holds it and since when, since when it is blocked, and what waits under it.

Purchases, activities and facts come under an identifier in the order in which they were published, and go on to its
holder in that order. Where nobody holds it they wait, or a member is made on sight, as the programme says. What becomes
of a purchase follows from when it was made and from who holds the identifier, never from which of the two came first.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from contracts.ids import account_of, member_of_identifier
from services.rules.domain.refusals import Refusal

ArrivalKind = Literal["purchase", "activity", "facts", "award"]
Origin = Literal["enrolment", "link", "sight"]
"""How a holding came to be; `sight`: a member was made for an identifier that nobody held."""


class IdentifierTerms(Protocol):
    """What the programme says about identifiers that nobody holds."""

    @property
    def enrols_on_sight(self) -> bool:
        """Whether a member is made at once."""
        ...

    def claimable_until(self, at: datetime) -> datetime | None:
        """Before which instant somebody must join to have what was done at `at`; None: at any time."""
        ...


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose it is: the account of one member (or household) in one programme. `card_category` is of this identifier."""

    account_id: UUID
    member_id: UUID
    programme: str
    card_category: str = ""


@dataclass(frozen=True, slots=True)
class Holding:
    """A holder from `since` on, until somebody else follows; nothing counts from `blocked_since` on."""

    holder: Holder
    since: datetime
    origin: Origin
    blocked_since: datetime | None = None

    def is_blocked_at(self, at: datetime) -> bool:
        """Whether what was done at `at` came after the block."""
        return self.blocked_since is not None and at >= self.blocked_since


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came under the identifier: its business key, and when it was done by the source's clock."""

    key: UUID
    kind: ArrivalKind
    at: datetime


@dataclass(frozen=True, slots=True)
class Identifier:
    """State. `holdings` from the first holder to the last; `blocked_since` counts while there is none."""

    tenant: str
    programme: str
    name: str
    """`type:value`, as tills send it."""
    holdings: tuple[Holding, ...] = ()
    blocked_since: datetime | None = None
    waiting: tuple[Arrival, ...] = ()

    def holding_at(self, at: datetime) -> Holding | None:
        """The last holding to begin by `at`."""
        for holding in reversed(self.holdings):
            if holding.since <= at:
                return holding
        return None


# Events


@dataclass(frozen=True, slots=True)
class PassedOn:
    """It goes on to the holder's account."""

    arrival: Arrival
    holder: Holder


@dataclass(frozen=True, slots=True)
class KeptWaiting:
    """Nobody holds the identifier yet."""

    arrival: Arrival


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """It is known, and nothing will come of it."""

    arrival: Arrival
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Linked:
    """The identifier has a new holder."""

    holding: Holding


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A member joined the programme: the account's first word."""

    holder: Holder
    at: datetime
    origin: Origin


@dataclass(frozen=True, slots=True)
class EnrolledAgain:
    """The member is in the programme already; what is new about it goes on as facts."""

    holder: Holder
    at: datetime


@dataclass(frozen=True, slots=True)
class Blocked:
    """Nothing that is done from `since` on counts."""

    since: datetime


Event = PassedOn | KeptWaiting | TurnedAway | Linked | Enrolled | EnrolledAgain | Blocked


def evolve(identifier: Identifier, event: Event) -> Identifier:
    """What an event makes of the state."""
    match event:
        case KeptWaiting(arrival):
            return replace(identifier, waiting=(*identifier.waiting, arrival))
        case Linked(holding):
            return replace(identifier, holdings=(*identifier.holdings, holding), waiting=())
        case Blocked(since) if identifier.holdings:
            held = identifier.holding_at(since) or identifier.holdings[0]
            place = identifier.holdings.index(held)
            # It may have changed its category or account since then: it is the same card.
            blocked = (replace(each, blocked_since=since) for each in identifier.holdings[place:])
            return replace(identifier, holdings=(*identifier.holdings[:place], *blocked))
        case Blocked(since):
            return replace(identifier, blocked_since=since)
        case TurnedAway(arrival) if identifier.waiting:
            return replace(identifier, waiting=tuple(each for each in identifier.waiting if each.key != arrival.key))
        case _:
            # What is passed on when somebody joins has left with `Linked`, which comes before it.
            return identifier


def fold(identifier: Identifier, events: Iterable[Event]) -> Identifier:
    """The state after several events."""
    for event in events:
        identifier = evolve(identifier, event)
    return identifier


# Decisions


@dataclass(frozen=True, slots=True)
class Enrol:
    """Let a member join at `at`. `named`: the enrolment says itself which member it is."""

    member_id: UUID
    named: bool
    at: datetime
    card_category: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """Put the identifier on a member's account. `moved_from` is the account that hands it over, if one does."""

    holder: Holder
    since: datetime
    moved_from: UUID | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Take the identifier out of use."""

    since: datetime


def take_in(arrival: Arrival, identifier: Identifier, terms: IdentifierTerms) -> list[Event]:
    """Pass on what came under the identifier, keep it, or turn it away."""
    if identifier.holdings:
        return [_to_holder(arrival, identifier, terms)]
    if identifier.blocked_since is not None and arrival.at >= identifier.blocked_since:
        return [TurnedAway(arrival, Refusal.identifier_blocked(identifier.blocked_since))]
    if not terms.enrols_on_sight or arrival.kind in ("facts", "award"):
        # Facts alone make nobody a member, and neither does what a friend bought.
        return [KeptWaiting(arrival)]
    member_id = member_of_identifier(identifier.tenant, identifier.name)
    holder = Holder(account_of(identifier.tenant, identifier.programme, member_id), member_id, identifier.programme)
    events = _join(holder, arrival.at, "sight", identifier, terms)
    return [*events, _to_holder(arrival, fold(identifier, events), terms)]


def enrol(command: Enrol, identifier: Identifier, terms: IdentifierTerms) -> list[Event] | Refusal:
    """Let a member join under this identifier. Refused: `identifier_taken`."""
    held = _held_at(command.at, identifier)
    if held is None:
        account_id = account_of(identifier.tenant, identifier.programme, command.member_id)
        holder = Holder(account_id, command.member_id, identifier.programme, command.card_category)
        return _join(holder, command.at, "enrolment", identifier, terms)
    # A member made on sight has no name yet: an enrolment that names none either gives it its facts.
    nameless = held.origin == "sight" and not command.named
    if not nameless and held.holder.member_id != command.member_id:
        return Refusal.identifier_taken()
    holder = replace(held.holder, card_category=command.card_category or held.holder.card_category)
    return [*_with_category(holder, command.at, held), EnrolledAgain(holder, command.at)]


def link(command: Link, identifier: Identifier, terms: IdentifierTerms) -> list[Event] | Refusal:
    """Give the identifier a holder, and let what waited go on. Refused: `identifier_taken`."""
    account_id = command.holder.account_id
    if any(each.holder.account_id == account_id and each.since == command.since for each in identifier.holdings):
        return []
    held = _held_at(command.since, identifier)
    if held is None:
        return _hand_over(Holding(command.holder, command.since, "link"), identifier, terms)
    if held.holder.account_id == account_id:
        return _with_category(command.holder, command.since, held)
    if held.holder.account_id != command.moved_from or command.since <= held.since:
        return Refusal.identifier_taken()
    category = command.holder.card_category or held.holder.card_category
    holder = replace(command.holder, card_category=category)
    return [Linked(Holding(holder, command.since, "link", held.blocked_since))]


def block(command: Block, identifier: Identifier) -> list[Event]:
    """Take the identifier out of use. Of several blocks the earliest counts."""
    if command.since in (identifier.blocked_since, *(each.blocked_since for each in identifier.holdings)):
        return []
    if not identifier.holdings:
        blocked_since = identifier.blocked_since
        return [] if blocked_since is not None and blocked_since <= command.since else [Blocked(command.since)]
    held = identifier.holding_at(command.since) or identifier.holdings[0]
    if held.blocked_since is None:
        return [Blocked(command.since)]
    # Blocked already: an earlier instant counts, unless somebody else got the identifier after that block.
    is_last = held is identifier.holdings[-1]
    return [Blocked(command.since)] if is_last and command.since < held.blocked_since else []


def claim(arrival: Arrival, holder: Holder, terms: IdentifierTerms, now: datetime) -> PassedOn | Refusal:
    """Give a purchase that named no member to who shows its receipt. Refused: `claim_window_passed`."""
    until = terms.claimable_until(arrival.at)
    return Refusal.claim_window_passed(until) if until is not None and now >= until else PassedOn(arrival, holder)


def give_up(arrival: Arrival, identifier: Identifier, terms: IdentifierTerms, now: datetime) -> list[Event]:
    """Keep something no longer that waits, once nobody who joins now could have it."""
    until = terms.claimable_until(arrival.at)
    if arrival not in identifier.waiting or arrival.kind == "facts" or until is None or now < until:
        return []
    return [TurnedAway(arrival, Refusal.claim_window_passed(until))]


def _join(holder: Holder, at: datetime, origin: Origin, identifier: Identifier, terms: IdentifierTerms) -> list[Event]:
    linked, *released = _hand_over(Holding(holder, at, origin), identifier, terms)
    return [linked, Enrolled(holder, at, origin), *released]


def _hand_over(holding: Holding, identifier: Identifier, terms: IdentifierTerms) -> list[Event]:
    if not identifier.holdings and identifier.blocked_since is not None and holding.since < identifier.blocked_since:
        holding = replace(holding, blocked_since=identifier.blocked_since)
    linked = Linked(holding)
    held = evolve(identifier, linked)
    return [linked, *(_to_holder(arrival, held, terms) for arrival in identifier.waiting)]


def _with_category(holder: Holder, since: datetime, held: Holding) -> list[Event]:
    """The same holder with another card category from `since` on; what was done before keeps the one it had."""
    if holder.card_category in ("", held.holder.card_category) or since <= held.since:
        return []
    return [Linked(Holding(holder, since, held.origin, held.blocked_since))]


def _held_at(since: datetime, identifier: Identifier) -> Holding | None:
    """Who stands in the way of a new holder; nobody once the identifier is blocked."""
    last = identifier.holdings[-1] if identifier.holdings else None
    return None if last is None or last.is_blocked_at(since) else last


def _to_holder(arrival: Arrival, identifier: Identifier, terms: IdentifierTerms) -> PassedOn | TurnedAway:
    holding = identifier.holding_at(arrival.at)
    if holding is None:
        if identifier.blocked_since is not None and arrival.at >= identifier.blocked_since:
            return TurnedAway(arrival, Refusal.identifier_blocked(identifier.blocked_since))
        holding = identifier.holdings[0]
        until = None if arrival.kind == "facts" else terms.claimable_until(arrival.at)
        if until is not None and holding.since >= until:
            return TurnedAway(arrival, Refusal.claim_window_passed(until))
    if holding.blocked_since is not None and arrival.at >= holding.blocked_since:
        return TurnedAway(arrival, Refusal.identifier_blocked(holding.blocked_since))
    return PassedOn(arrival, holding.holder)
