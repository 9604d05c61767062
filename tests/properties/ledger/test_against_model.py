"""Random commands of all kinds, in any order, redelivered, with clock steps: the decider does what the model does."""

from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given, settings

from services.ledger.domain.books import imbalances
from services.ledger.domain.commands import Command
from services.ledger.domain.decide import catch_up, handle
from services.ledger.domain.evolve import evolve, replay
from services.ledger.domain.needs import needs, together
from tests.properties.ledger.lives import BY_HAND, EVERY_KIND
from tests.properties.ledger.loading import in_part
from tests.properties.ledger.pair import Pair
from tests.properties.ledger.steps import LIMITS, STEPS, Step


def agree(limits: dict[str, Any], steps: list[Step]) -> None:
    """Take the steps with both; they have to agree after each command, and the books to add up."""
    pair = Pair(limits)
    for step in steps:
        pair.take(step)
        for side in pair.sides:
            assert list(imbalances(side.account)) == []


def ran(limits: dict[str, Any], steps: list[Step]) -> Pair:
    """Both after these steps, compared after each."""
    pair = Pair(limits)
    for step in steps:
        pair.take(step)
    return pair


def test_every_kind_of_command_is_drawn() -> None:
    """There is no command of the ledger that the model does not know; every one of these is applied at least once."""
    applied = {type(each.command) for each in ran({}, EVERY_KIND).taken if each.outcome.refusal is None}
    assert applied - {type(None)} == set(get_args(Command))


@given(LIMITS, STEPS)
@settings(max_examples=400, deadline=None)
def test_balances_lots_and_refusals_are_those_of_the_model(limits: dict[str, Any], steps: list[Step]) -> None:
    """After each command both agree on everything that can be seen, and the books add up."""
    agree(limits, steps)


@pytest.mark.parametrize(("limits", "steps"), BY_HAND)
def test_lives_by_hand_are_those_of_the_model(limits: dict[str, Any], steps: list[Step]) -> None:
    """The same where chance hardly gets to."""
    agree(limits, steps)


@given(LIMITS, STEPS)
@settings(max_examples=100, deadline=None)
def test_replay_gives_the_state(limits: dict[str, Any], steps: list[Step]) -> None:
    """The events alone, one by one or all at once, make the same account, with gap-free versions."""
    for side in ran(limits, steps).sides:
        events = [each.event for each in side.history]
        one_by_one = side.blank
        for event in events:
            one_by_one = evolve(one_by_one, event)
        assert one_by_one == replay(side.blank, events) == side.account
        assert [each.version for each in side.history] == list(range(1, len(events) + 1))


@given(LIMITS, STEPS)
@settings(max_examples=100, deadline=None)
def test_events_have_ids_of_their_own(limits: dict[str, Any], steps: list[Step]) -> None:
    """Type, cause and part name an event: no two of an account share them."""
    for side in ran(limits, steps).sides:
        names = [(each.event.type, each.event.command_id, each.event.part) for each in side.history]
        assert len(set(names)) == len(names)


@given(LIMITS, STEPS)
@settings(max_examples=150, deadline=None)
def test_an_account_loaded_in_part_decides_as_the_whole(limits: dict[str, Any], steps: list[Step]) -> None:
    """What `needs` names is all that a decision reads: same events, same balances, same refusals, same letters."""
    pair = ran(limits, steps)
    accounts = [side.blank for side in pair.sides]
    for taken in pair.taken:
        account, command, now = accounts[taken.who], taken.command, taken.now
        if command is None:
            accounts[taken.who] = catch_up(account, now).account
            continue
        account = replace(account, decided_commands=_came(pair, taken.who))
        whole = handle(account, command, pair.guards, now)
        part = handle(in_part(account, needs(command), now), command, pair.guards, now)
        assert replace(part, account=whole.account) == whole
        accounts[taken.who] = replace(whole.account, decided_commands=frozenset())


@given(LIMITS, STEPS)
@settings(max_examples=150, deadline=None)
def test_a_batch_loaded_in_part_is_decided_as_the_whole(limits: dict[str, Any], steps: list[Step]) -> None:
    """Commands of an account between two ticks of the clock, loaded together once, give the same events."""
    pair = ran(limits, steps)
    for who, side in enumerate(pair.sides):
        account, came = side.blank, _came(pair, who)
        mine = [taken for taken in pair.taken if taken.who == who]
        for now in dict.fromkeys(taken.now for taken in mine):
            batch = [taken.command for taken in mine if taken.command is not None and taken.now == now]
            part = in_part(replace(account, decided_commands=came), together(needs(command) for command in batch), now)
            account = catch_up(account, now).account
            part = catch_up(part, now).account
            for command in batch:
                whole = handle(replace(account, decided_commands=came), command, pair.guards, now)
                outcome = handle(part, command, pair.guards, now)
                assert replace(outcome, account=whole.account) == whole
                account, part = replace(whole.account, decided_commands=frozenset()), outcome.account


@given(LIMITS, STEPS)
@settings(max_examples=150, deadline=None)
def test_sweepers_change_nothing(limits: dict[str, Any], steps: list[Step]) -> None:
    """Whether a sweeper ran at every tick or never: the same events in the same order."""
    pair = ran(limits, steps)
    for who, side in enumerate(pair.sides):
        account, events = side.blank, []
        came: set[Any] = set()
        for taken in pair.taken:
            if taken.who != who or taken.command is None:
                continue
            outcome = handle(replace(account, decided_commands=frozenset(came)), taken.command, pair.guards, taken.now)
            if outcome.waiting is None:
                came.add(taken.command.command_id)
            events += [each.event for each in outcome.recorded]
            account = replace(outcome.account, decided_commands=frozenset())
        last = catch_up(account, pair.now)
        assert [*events, *(each.event for each in last.recorded)] == [each.event for each in side.history]


def _came(pair: Pair, who: int) -> frozenset[Any]:
    """The commands that an account has decided, whenever that was."""
    return frozenset(each.command.command_id for each in pair.taken if each.command is not None and each.who == who)
