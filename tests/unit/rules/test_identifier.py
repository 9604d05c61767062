"""An identifier: who holds it, what waits under it, and what goes on to its holder. Given, when, then."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.ids import account_of, derive, member_of_identifier
from services.rules.domain import identifier as domain
from services.rules.domain.identifier import (
    Arrival,
    Block,
    Blocked,
    Enrol,
    Enrolled,
    EnrolledAgain,
    Event,
    Holder,
    Holding,
    Identifier,
    KeptWaiting,
    Link,
    Linked,
    PassedOn,
    TurnedAway,
    fold,
)
from services.rules.domain.membership import MembershipTerms
from services.rules.domain.programme import Duration, Members
from services.rules.domain.refusals import Refusal

TENANT, PROGRAMME, CARD = "default", "grocer", "card:77"
KEEP_30_DAYS = MembershipTerms(PROGRAMME, "PLN", "Europe/Warsaw", Members("keep", Duration(30, "days")))
ENROL = MembershipTerms(PROGRAMME, "PLN", "Europe/Warsaw", Members("enrol"))
NEW = Identifier(TENANT, PROGRAMME, CARD)
MARCH_1 = datetime(2026, 3, 1, 17, tzinfo=UTC)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def march(day: int, hour: int = 17) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def purchase(name: str, at: datetime) -> Arrival:
    return Arrival(derive("purchase", name), "purchase", at)


def holder(name: str = "anna", category: str = "") -> Holder:
    member_id = derive("member", name)
    return Holder(account_of(TENANT, PROGRAMME, member_id), member_id, PROGRAMME, category)


def enrolment(name: str = "anna", at: datetime = MARCH_1, *, named: bool = True) -> Enrol:
    return Enrol(derive("member", name), named, at)


def held(since: datetime = MARCH_1, name: str = "anna") -> Holding:
    return Holding(holder(name), since, "enrolment")


def given_events(*events: Event) -> Identifier:
    return fold(NEW, events)


def linked(identifier: Identifier, command: Link) -> Identifier:
    decided = domain.link(command, identifier, KEEP_30_DAYS)
    assert not isinstance(decided, Refusal)
    return fold(identifier, decided)


def test_a_purchase_goes_on_to_the_holder() -> None:
    """The ordinary case: somebody holds the card."""
    bought = purchase("a", march(2))
    assert domain.take_in(bought, given_events(Linked(held())), KEEP_30_DAYS) == [PassedOn(bought, holder())]


def test_E17_what_nobody_can_have_waits_and_goes_on_in_its_order_when_somebody_joins() -> None:
    """`unknown_card: keep 30 days`: kept, and awarded when the member joins in time, first come first."""
    first, second = purchase("first", march(20)), purchase("second", march(2))
    given = given_events(KeptWaiting(first), KeptWaiting(second))
    assert domain.take_in(first, NEW, KEEP_30_DAYS) == [KeptWaiting(first)]
    assert domain.enrol(enrolment(at=march(25)), given, KEEP_30_DAYS) == [
        Linked(held(march(25))),
        Enrolled(holder(), march(25), "enrolment"),
        PassedOn(first, holder()),
        PassedOn(second, holder()),
    ]


@pytest.mark.parametrize(
    ("joined", "claimed"),
    [
        # Bought on 1 March at 18:00 in Warsaw: the thirtieth day is 31 March, whole; there is summer time by then.
        (datetime(2026, 3, 31, 21, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 3, 31, 22, 0, 0, tzinfo=UTC), False),
    ],
)
@pytest.mark.parametrize("joined_first", [True, False])
def test_E17_the_last_day_to_claim_counts_whole(joined: datetime, *, claimed: bool, joined_first: bool) -> None:
    """Later than that it is `claim_window_passed`, whichever of the two came here first."""
    bought = purchase("a", MARCH_1)
    if joined_first:
        events = domain.take_in(bought, given_events(Linked(held(joined))), KEEP_30_DAYS)
    else:
        decided = domain.enrol(enrolment(at=joined), given_events(KeptWaiting(bought)), KEEP_30_DAYS)
        assert not isinstance(decided, Refusal)
        events = decided[2:]
    until = datetime(2026, 4, 1, tzinfo=ZoneInfo("Europe/Warsaw"))
    expected: Event = PassedOn(bought, holder()) if claimed else TurnedAway(bought, Refusal.claim_window_passed(until))
    assert events == [expected]


def test_E17_enrol_makes_a_member_at_once_and_the_same_one_for_the_next() -> None:
    """`unknown_card: enrol`: two purchases that come together are one member's."""
    member_id = member_of_identifier(TENANT, CARD)
    made = Holder(account_of(TENANT, PROGRAMME, member_id), member_id, PROGRAMME)
    first, second = purchase("first", march(5)), purchase("second", march(4))
    events = domain.take_in(first, NEW, ENROL)
    assert events == [
        Linked(Holding(made, march(5), "sight")),
        Enrolled(made, march(5), "sight"),
        PassedOn(first, made),
    ]
    assert domain.take_in(second, fold(NEW, events), ENROL) == [PassedOn(second, made)]


def test_facts_make_nobody_a_member() -> None:
    """Facts about a card that nobody holds wait, whatever the programme says of purchases."""
    facts = Arrival(derive("facts"), "facts", march(5))
    assert domain.take_in(facts, NEW, ENROL) == [KeptWaiting(facts)]


def test_what_waited_before_the_programme_enrolled_on_sight_comes_first() -> None:
    """A programme may change its mind; the order of publication stays."""
    first, second = purchase("first", march(2)), purchase("second", march(3))
    events = domain.take_in(second, given_events(KeptWaiting(first)), ENROL)
    assert [type(event).__name__ for event in events] == ["Linked", "Enrolled", "PassedOn", "PassedOn"]
    assert [event.arrival for event in events if isinstance(event, PassedOn)] == [first, second]


def test_the_first_to_enrol_under_a_card_has_it() -> None:
    """Two enrolments with one card by different events: the second is refused."""
    given = given_events(Linked(held()))
    assert domain.enrol(enrolment("boris"), given, KEEP_30_DAYS) == Refusal.identifier_taken()
    assert domain.enrol(enrolment("boris", named=False), given, KEEP_30_DAYS) == Refusal.identifier_taken()


def test_a_member_who_enrols_again_stays_who_it_is() -> None:
    """Nothing is linked or opened twice; what is new about the member goes on as facts."""
    given = given_events(Linked(held()))
    assert domain.enrol(enrolment(at=march(9)), given, KEEP_30_DAYS) == [EnrolledAgain(holder(), march(9))]


def test_an_enrolment_without_a_member_takes_over_one_that_was_made_on_sight() -> None:
    """The cashier handed out the card; the member writes down its name later."""
    made = Holding(holder("made"), march(2), "sight")
    given = given_events(Linked(made))
    assert domain.enrol(enrolment("x", march(9), named=False), given, ENROL) == [
        EnrolledAgain(holder("made"), march(9))
    ]
    assert domain.enrol(enrolment("x", march(9)), given, ENROL) == Refusal.identifier_taken()


def test_A1_after_the_block_nothing_counts_and_what_was_bought_before_it_does() -> None:
    """Card lost at noon: a purchase made before noon counts, however late it arrives."""
    given = given_events(Linked(held()), Blocked(NOON))
    before, at_noon = purchase("before", NOON - timedelta(seconds=1)), purchase("at noon", NOON)
    assert domain.take_in(before, given, KEEP_30_DAYS) == [PassedOn(before, holder())]
    assert domain.take_in(at_noon, given, KEEP_30_DAYS) == [TurnedAway(at_noon, Refusal.identifier_blocked(NOON))]


def test_A1_a_new_card_is_put_on_the_same_account() -> None:
    """The new card's purchases count for the member, those before it was handed over too."""
    events = domain.link(Link(holder(), NOON), NEW, KEEP_30_DAYS)
    assert events == [Linked(Holding(holder(), NOON, "link"))]
    after, before = purchase("after", march(11)), purchase("before", march(9))
    given = fold(NEW, events)
    assert domain.take_in(after, given, KEEP_30_DAYS) == [PassedOn(after, holder())]
    assert domain.take_in(before, given, KEEP_30_DAYS) == [PassedOn(before, holder())]


def test_the_earliest_block_counts_and_the_same_changes_nothing() -> None:
    """Redelivered, or told twice by two desks."""
    given = given_events(Linked(held()), Blocked(NOON))
    assert domain.block(Block(NOON), given) == []
    assert domain.block(Block(NOON + timedelta(hours=1)), given) == []
    assert domain.block(Block(NOON - timedelta(hours=1)), given) == [Blocked(NOON - timedelta(hours=1))]


def test_a_card_that_nobody_holds_can_be_blocked() -> None:
    """Lost on the way to the member: it is turned away, and whoever gets it later has nothing of that time."""
    given = given_events(Blocked(NOON))
    after, before = purchase("after", march(11)), purchase("before", march(9))
    turned_away = [TurnedAway(after, Refusal.identifier_blocked(NOON))]
    assert domain.take_in(after, given, KEEP_30_DAYS) == turned_away
    assert domain.take_in(before, given, KEEP_30_DAYS) == [KeptWaiting(before)]
    assert domain.block(Block(NOON), given) == []
    reissued = linked(given, Link(holder(), march(12)))
    assert domain.take_in(after, reissued, KEEP_30_DAYS) == turned_away
    linked_before = linked(given, Link(holder(), march(8)))
    assert domain.take_in(after, linked_before, KEEP_30_DAYS) == turned_away
    assert domain.take_in(before, linked_before, KEEP_30_DAYS) == [PassedOn(before, holder())]


def test_a_blocked_card_can_be_given_to_somebody_else() -> None:
    """Each has what was bought in their time; what was bought between belongs to nobody."""
    given = given_events(Linked(held()), Blocked(NOON))
    again = domain.link(Link(holder("boris"), march(20)), given, KEEP_30_DAYS)
    assert again == [Linked(Holding(holder("boris"), march(20), "link"))]
    state = fold(given, again)
    assert [domain.take_in(purchase("x", at), state, KEEP_30_DAYS) for at in (march(9), march(15), march(21))] == [
        [PassedOn(purchase("x", march(9)), holder())],
        [TurnedAway(purchase("x", march(15)), Refusal.identifier_blocked(NOON))],
        [PassedOn(purchase("x", march(21)), holder("boris"))],
    ]
    # What told of the first holder comes again and changes nothing.
    assert domain.link(Link(holder(), MARCH_1), state, KEEP_30_DAYS) == []
    assert domain.block(Block(NOON), state) == []


def test_a_card_in_use_cannot_be_given_to_somebody_else() -> None:
    """Not before it is blocked."""
    given = given_events(Linked(held()))
    assert domain.link(Link(holder("boris"), NOON), given, KEEP_30_DAYS) == Refusal.identifier_taken()
    assert domain.link(Link(holder(), NOON), given, KEEP_30_DAYS) == []


def test_a_card_keeps_the_category_that_it_had_when_something_was_bought() -> None:
    """Silver in March, gold from the tenth on."""
    given = given_events(Linked(Holding(holder(category="silver"), MARCH_1, "link")))
    gold = holder(category="gold")
    state = linked(given, Link(gold, NOON))
    assert domain.link(Link(gold, NOON), state, KEEP_30_DAYS) == []
    assert domain.take_in(purchase("a", march(9)), state, KEEP_30_DAYS) == [
        PassedOn(purchase("a", march(9)), holder(category="silver"))
    ]
    assert domain.take_in(purchase("b", march(11)), state, KEEP_30_DAYS) == [PassedOn(purchase("b", march(11)), gold)]


def test_A3_a_card_goes_to_the_household_and_back_with_its_member() -> None:
    """Each account has what was bought in its time; a card blocked as of before the move is blocked since then."""
    given = given_events(Linked(Holding(holder(category="gold"), MARCH_1, "link")))
    own, household = holder(category="gold"), Holder(derive("household"), holder().member_id, PROGRAMME)
    joining = Link(household, march(5), moved_from=own.account_id)
    state = linked(given, joining)
    assert state.holdings[-1] == Holding(replace(household, card_category="gold"), march(5), "link")
    assert domain.link(joining, state, KEEP_30_DAYS) == []
    state = linked(state, Link(holder(), march(20), moved_from=household.account_id))
    accounts = [domain.take_in(purchase("x", march(day)), state, KEEP_30_DAYS)[0] for day in (4, 6, 21)]
    assert [event.holder.account_id for event in accounts if isinstance(event, PassedOn)] == [
        own.account_id, household.account_id, own.account_id,
    ]  # fmt: skip
    blocked = fold(state, domain.block(Block(march(10)), state))
    assert [type(domain.take_in(purchase("x", march(day)), blocked, KEEP_30_DAYS)[0]) for day in (4, 9, 11, 21)] == [
        PassedOn, PassedOn, TurnedAway, TurnedAway,
    ]  # fmt: skip


def test_a_card_is_moved_by_the_account_that_holds_it_alone() -> None:
    """A move that came too late, or from elsewhere, takes nothing away."""
    given = given_events(Linked(held()))
    foreign = Link(holder("boris"), NOON, moved_from=holder("carol").account_id)
    too_early = Link(holder("boris"), MARCH_1, moved_from=holder().account_id)
    for command in (foreign, too_early):
        assert domain.link(command, given, KEEP_30_DAYS) == Refusal.identifier_taken()


def test_E17_what_nobody_claims_is_kept_no_longer_than_its_window() -> None:
    """Not a moment earlier; facts are kept, and so is what waits beside it."""
    bought, later = purchase("a", MARCH_1), purchase("b", march(5))
    facts = Arrival(derive("facts"), "facts", MARCH_1)
    given = given_events(*map(KeptWaiting, (bought, facts, later)))
    until = datetime(2026, 4, 1, tzinfo=ZoneInfo("Europe/Warsaw"))
    given_up = [TurnedAway(bought, Refusal.claim_window_passed(until))]
    assert domain.give_up(bought, given, KEEP_30_DAYS, until - timedelta(seconds=1)) == []
    assert domain.give_up(bought, given, KEEP_30_DAYS, until) == given_up
    assert [domain.give_up(each, given, KEEP_30_DAYS, until) for each in (facts, later)] == [[], []]
    assert fold(given, given_up).waiting == (facts, later)
    assert domain.give_up(bought, fold(given, given_up), KEEP_30_DAYS, until) == []


DAYS = st.integers(min_value=0, max_value=60)


@given(days=st.lists(DAYS, max_size=8), joined=DAYS, place=st.integers(min_value=0, max_value=8), again=st.booleans())
def test_what_becomes_of_purchases_does_not_depend_on_when_the_link_comes(
    days: Sequence[int], joined: int, place: int, *, again: bool
) -> None:
    """Any interleaving of purchases with the link, told once or twice, gives the same purchases in the same order."""
    purchases = [purchase(str(number), MARCH_1 + timedelta(days=day)) for number, day in enumerate(days)]
    link = Link(holder(), MARCH_1 + timedelta(days=joined))

    def outcome(steps: Sequence[Arrival | Link]) -> list[tuple[UUID, str]]:
        state, outcomes = NEW, []
        for step in steps:
            if isinstance(step, Link):
                decided = domain.link(step, state, KEEP_30_DAYS)
                assert not isinstance(decided, Refusal)
            else:
                decided = domain.take_in(step, state, KEEP_30_DAYS)
            outcomes += [
                (event.arrival.key, type(event).__name__)
                for event in decided
                if isinstance(event, PassedOn | TurnedAway)
            ]
            state = fold(state, decided)
        return outcomes

    link_last: list[Arrival | Link] = [*purchases, link]
    interleaved: list[Arrival | Link] = [*purchases[:place], link, *purchases[place:]]
    if again:
        interleaved.append(link)
    assert outcome(interleaved) == outcome(link_last)
    assert [key for key, _ in outcome(link_last)] == [each.key for each in purchases]
