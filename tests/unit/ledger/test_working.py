"""One working copy takes any number of events, and accounts made of it on the way stay as they were."""

from services.ledger.domain.account import unopened
from services.ledger.domain.events import Event
from services.ledger.domain.evolve import apply, replay
from services.ledger.domain.working import Working
from tests.unit.ledger.books import ANNA, Books, accrue, capture, hold, redeem, release, undo


def events_of(books: Books) -> list[Event]:
    """What happened to Anna's account."""
    return [recorded.event for recorded in books.history[ANNA]]


def test_an_account_made_on_the_way_is_not_changed_by_what_follows() -> None:
    """After each event the working copy makes the same account as a replay up to there, then and at the end."""
    books = Books().given(
        accrue("A", 100), hold("h1", 30), redeem("r1", 20), capture("c1", "h1", 10), undo("u1", "r1", 5),
        hold("h2", 5), release("x2", "h2"), redeem("r2", 1),
    )  # fmt: skip
    events, start = events_of(books), unopened(ANNA, "", "")
    working, made = Working(start), []
    for event in events:
        apply(working, event)
        made.append(working.account())
    assert made == [replay(start, events[: number + 1]) for number in range(len(events))]


def test_redemptions_are_copied_once_however_many_there_are() -> None:
    """An account with very many redemptions is replayed in a time that grows with their number, not its square."""
    books = Books().given(accrue("A", 100), *(redeem(f"r{number}", 1) for number in range(50)))
    working = Working(unopened(ANNA, "", ""))
    seen = []
    for event in events_of(books):
        apply(working, event)
        seen.append(working.redemptions)
    assert (len({id(each) for each in seen if each}), len(working.redemptions)) == (1, 50)
