"""Random commands of all kinds, in any order, redelivered, with clock steps: the decider does what the model does."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings

from services.ledger.domain.account import unopened
from services.ledger.domain.books import imbalances
from services.ledger.domain.decide import catch_up, handle
from services.ledger.domain.evolve import evolve, replay
from services.ledger.domain.needs import needs, together
from tests.properties.ledger.loading import in_part
from tests.properties.ledger.pair import ACCOUNT, MEMBER, Pair
from tests.properties.ledger.steps import LIMITS, STEPS, Step


def ran(limits: dict[str, Any], steps: list[Step]) -> Pair:
    """Both after these steps, compared after each."""
    pair = Pair(limits)
    for step in steps:
        pair.take(step)
    return pair


@given(LIMITS, STEPS)
@settings(max_examples=300, deadline=None)
def test_balances_lots_and_refusals_are_those_of_the_model(limits: dict[str, Any], steps: list[Step]) -> None:
    """After each command both agree on everything that can be seen, and the books add up."""
    pair = Pair(limits)
    for step in steps:
        pair.take(step)
        assert list(imbalances(pair.account)) == []


@given(LIMITS, STEPS)
@settings(max_examples=100, deadline=None)
def test_replay_gives_the_state(limits: dict[str, Any], steps: list[Step]) -> None:
    """The events alone, one by one or all at once, make the same account, with gap-free versions."""
    pair = ran(limits, steps)
    events = [each.event for each in pair.history]
    blank = unopened(ACCOUNT, "default", "grocer", MEMBER)
    one_by_one = blank
    for event in events:
        one_by_one = evolve(one_by_one, event)
    assert one_by_one == replay(blank, events) == pair.account
    assert [each.version for each in pair.history] == list(range(1, len(events) + 1))


@given(LIMITS, STEPS)
@settings(max_examples=100, deadline=None)
def test_events_have_ids_of_their_own(limits: dict[str, Any], steps: list[Step]) -> None:
    """Type, cause and part name an event: no two share them."""
    names = [(each.event.type, each.event.command_id, each.event.part) for each in ran(limits, steps).history]
    assert len(set(names)) == len(names)


@given(LIMITS, STEPS)
@settings(max_examples=150, deadline=None)
def test_an_account_loaded_in_part_decides_as_the_whole(limits: dict[str, Any], steps: list[Step]) -> None:
    """What `needs` names is all that a decision reads: same events, same balances, same refusals."""
    pair = ran(limits, steps)
    account = unopened(ACCOUNT, "default", "grocer", MEMBER)
    for command, now in pair.taken:
        if command is None:
            account = catch_up(account, now).account
            continue
        came = frozenset(each.command_id for each, _ in pair.taken if each is not None)
        whole = handle(replace(account, decided_commands=came), command, pair.guards, now)
        part = handle(in_part(replace(account, decided_commands=came), needs(command), now), command, pair.guards, now)
        assert (part.recorded, part.refusal, part.waiting, part.onward) == (
            whole.recorded,
            whole.refusal,
            whole.waiting,
            whole.onward,
        )
        account = replace(whole.account, decided_commands=frozenset())


@given(LIMITS, STEPS)
@settings(max_examples=150, deadline=None)
def test_a_batch_loaded_in_part_is_decided_as_the_whole(limits: dict[str, Any], steps: list[Step]) -> None:
    """Commands between two ticks of the clock, loaded together once, give the same events."""
    pair = ran(limits, steps)
    account = unopened(ACCOUNT, "default", "grocer", MEMBER)
    came = frozenset(each.command_id for each, _ in pair.taken if each is not None)
    for now in dict.fromkeys(now for _, now in pair.taken):
        batch = [command for command, at in pair.taken if command is not None and at == now]
        part = in_part(replace(account, decided_commands=came), together(needs(command) for command in batch), now)
        account = catch_up(account, now).account
        part = catch_up(part, now).account
        for command in batch:
            whole = handle(replace(account, decided_commands=came), command, pair.guards, now)
            outcome = handle(part, command, pair.guards, now)
            assert (outcome.recorded, outcome.refusal, outcome.waiting) == (
                whole.recorded,
                whole.refusal,
                whole.waiting,
            )
            account, part = replace(whole.account, decided_commands=frozenset()), outcome.account


@given(LIMITS, STEPS)
@settings(max_examples=150, deadline=None)
def test_sweepers_change_nothing(limits: dict[str, Any], steps: list[Step]) -> None:
    """Whether a sweeper ran at every tick or never: the same events in the same order."""
    pair = ran(limits, steps)
    account = unopened(ACCOUNT, "default", "grocer", MEMBER)
    came: set[Any] = set()
    events = []
    for command, now in pair.taken:
        if command is None:
            continue
        outcome = handle(replace(account, decided_commands=frozenset(came)), command, pair.guards, now)
        if outcome.waiting is None:
            came.add(command.command_id)
        events += [each.event for each in outcome.recorded]
        account = replace(outcome.account, decided_commands=frozenset())
    last = catch_up(account, pair.now)
    assert [*events, *(each.event for each in last.recorded)] == [each.event for each in pair.history]
