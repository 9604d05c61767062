"""What may happen to an account, drawn at random: kinds, numbers, and which earlier thing is meant."""

from dataclasses import dataclass
from itertools import chain
from typing import Any

from hypothesis import strategies as st


@dataclass(frozen=True)
class Step:
    """What happens next, to whom, in which currency and with which numbers.

    `of` picks one of the things made before; `elsewhere`: it is asked for at `who`, wherever it was made. `standing` is
    the progress to the next tier. What is `late` is on its way until something arrives (`arrive`).
    """

    kind: str
    points: int = 0
    of: int = 0
    minutes: int = 0
    later: int | None = None
    flag: bool = False
    word: str = ""
    currency: str = "points"
    who: int = 0
    whom: int = 0
    elsewhere: bool = False
    standing: int | None = None
    late: bool = False


CURRENCIES = ("points", "stamps")
_CURRENCY = st.sampled_from([*CURRENCIES[:1] * 3, *CURRENCIES[1:]])
_AWARD = st.integers(10, 150)
_PART = st.integers(1, 60)
NEVER_MADE = 9
_LATEST = st.sampled_from([0, 0, 0, 0, 0, 1, 1, 1, 2, 2, NEVER_MADE])
_ANY = st.sampled_from([0, 0, 1, 1, 2, 3, 4, 5, 6, NEVER_MADE])
_LATER = st.none() | st.integers(1, 300)
_BILL = st.sampled_from([1_000, 1_000, 1_000, 40, None])
_POLICY = st.sampled_from(["to_zero", "negative", "negative", "refuse"])

_ENDS = st.sampled_from([None, None, None, -5, 40])
_SELDOM = st.sampled_from([False, False, False, False, True])
_STANDING = st.sampled_from([None, None, 1, 2])
_TIERS = ("bronze", "gold", "")


Drawn = dict[str, st.SearchStrategy[Any]]
"""How fields of a step are drawn."""


def _accruing(anyone: Drawn) -> st.SearchStrategy[Step]:
    return st.builds(
        Step,
        st.just("accrue"),
        points=_AWARD,
        of=st.sampled_from([0, 0, 5, 60, 200]),
        minutes=st.sampled_from([0, 0, 0, 30, 100]),
        later=_LATER,
        standing=_STANDING,
        late=_SELDOM,
        **anyone,
    )


def _spending(anyone: Drawn, earlier: Drawn) -> st.SearchStrategy[Step]:
    return st.one_of(
        st.builds(Step, st.just("redeem"), points=st.integers(-1, 60), later=_BILL, **anyone),
        st.builds(Step, st.just("hold"), points=_PART, minutes=st.integers(1, 60), later=_BILL, **anyone),
        st.builds(Step, st.just("capture"), points=st.integers(0, 40), flag=st.booleans(), **earlier),
        st.builds(
            Step,
            st.just("purchase"),
            points=_PART,
            minutes=st.sampled_from([0, 0, 5, 50]),
            later=st.sampled_from([None, None, 1]),
            flag=st.booleans(),
            word=_POLICY,
            late=_SELDOM,
            **earlier,
        ),
    )


def _giving_back(earlier: Drawn) -> st.SearchStrategy[Step]:
    return st.one_of(
        st.builds(
            Step,
            st.just("reverse"),
            points=_AWARD,
            word=st.sampled_from(["pending_only", "to_zero", "negative"]),
            standing=_STANDING,
            **earlier,
        ),
        st.builds(Step, st.just("release"), **earlier),
        st.builds(Step, st.just("restore"), points=_PART, later=_LATER, **earlier),
        st.builds(Step, st.just("undo"), points=st.sampled_from([0, 0, 3, 10, 25]), **earlier),
    )


def _otherwise(anyone: Drawn) -> st.SearchStrategy[Step]:
    return st.one_of(
        st.builds(Step, st.just("adjust"), points=st.integers(-50, 50), flag=st.booleans(), later=_ENDS, **anyone),
        st.builds(Step, st.just("again"), of=st.integers(0, 30)),
        st.builds(Step, st.just("again"), of=st.integers(0, 30)),
        st.builds(Step, st.sampled_from(["freeze", "unfreeze", "unfreeze", "unfreeze"]), who=anyone["who"]),
        st.builds(
            Step,
            st.just("tier"),
            word=st.sampled_from(_TIERS),
            minutes=st.sampled_from([0, 0, 500]),
            later=st.sampled_from([None, None, 1_000]),
            standing=_STANDING,
            who=anyone["who"],
        ),
        st.builds(
            Step,
            st.just("opening"),
            points=_AWARD,
            of=st.integers(0, 2),
            later=_LATER,
            minutes=st.integers(0, 100),
            flag=st.booleans(),
            standing=_STANDING,
            **anyone,
        ),
        st.builds(Step, st.just("arrive"), of=st.integers(0, 3)),
        st.builds(Step, st.just("open"), who=anyone["who"]),
    )


def _of_account(
    who: st.SearchStrategy[int], of: st.SearchStrategy[int], elsewhere: st.SearchStrategy[bool]
) -> dict[str, st.SearchStrategy[Step]]:
    """What may happen to accounts, and concern earlier things, that are drawn like this."""
    anyone: Drawn = {"who": who, "currency": _CURRENCY}
    earlier: Drawn = {**anyone, "of": of, "elsewhere": elsewhere}
    return {
        "accrue": _accruing(anyone),
        "spend": _spending(anyone, earlier),
        "give_back": _giving_back(earlier),
        "otherwise": _otherwise(anyone),
        "end": st.builds(Step, st.sampled_from(["again", "again", "again", "close", "erase"]), who=who),
    }


WAIT = st.builds(Step, st.just("wait"), minutes=st.sampled_from([1, 5, 10, 30, 100, 700, 2_000]))
DELIVER = st.builds(Step, st.just("deliver"), of=st.integers(0, 5), points=st.sampled_from([1, 1, 3, 8]))
ALL_LETTERS = Step("deliver", points=30)
_ALONE = _of_account(st.just(0), _LATEST, st.just(value=False))
_WHO = st.integers(0, 2)
_TOGETHER = _of_account(_WHO, _ANY, st.sampled_from([False, False, True]))
_SEND = st.builds(Step, st.just("send"), currency=_CURRENCY, points=_PART, who=_WHO, whom=_WHO)
_SEND_AWAY = st.builds(Step, st.just("send"), currency=_CURRENCY, points=_PART, whom=st.just(1))
_MERGE = st.builds(
    lambda who, other: Step("merge", who=who, whom=(who + other) % 3), _WHO, st.sampled_from([1, 1, 2, 2, 1, 2, 0])
)


def _lives(
    drawn: dict[str, st.SearchStrategy[Step]], *between: st.SearchStrategy[Step]
) -> st.SearchStrategy[list[Step]]:
    accrue, spend, give_back, otherwise, end = drawn.values()
    middle = (accrue, spend, spend, spend, give_back, give_back, otherwise, WAIT, *between)
    return st.builds(
        lambda first, middle, last: [*first, *middle, *last],
        st.lists(accrue, min_size=0, max_size=3),
        st.lists(st.one_of(*middle), min_size=10, max_size=40),
        st.lists(st.one_of(end, accrue, spend, give_back, otherwise, WAIT, *between), max_size=5),
    )


_HOLD_LONG = st.builds(
    Step, st.just("hold"), points=_PART, minutes=st.sampled_from([500, 3_000]), later=st.just(1_000), who=_WHO
)
_PAY_BY_HOLD = st.builds(
    Step,
    st.just("purchase"),
    points=st.integers(1, 150),
    of=st.integers(0, 3),
    minutes=st.sampled_from([0, 50]),
    flag=st.just(value=True),
    word=_POLICY,
)
_RETURN = st.builds(Step, st.just("restore"), points=st.integers(1, 150), of=st.integers(0, 4), later=_LATER)


def _merged() -> st.SearchStrategy[list[Step]]:
    accrue, spend, give_back, otherwise, end = _TOGETHER.values()
    letters = [DELIVER] * 8
    concern = [_PAY_BY_HOLD, _PAY_BY_HOLD, _RETURN, _RETURN]
    after = (*concern, give_back, give_back, spend, accrue, accrue, otherwise, *letters, _SEND, WAIT, WAIT)
    return st.builds(
        lambda first, *then: [*first, *chain.from_iterable(then), ALL_LETTERS],
        st.tuples(*(st.builds(Step, st.just("accrue"), st.integers(50, 150), who=st.just(who)) for who in range(3))),
        st.lists(st.one_of(accrue, otherwise, _SEND), max_size=4),
        st.lists(st.one_of(spend, _HOLD_LONG, _HOLD_LONG, WAIT), min_size=2, max_size=8),
        st.lists(_MERGE, min_size=1, max_size=2),
        st.lists(DELIVER, max_size=3),
        st.lists(st.one_of(*after, _MERGE), min_size=5, max_size=30),
        st.lists(st.one_of(end, *after), max_size=4),
    )


STEPS = (
    _lives(_ALONE, st.one_of(_SEND_AWAY, DELIVER))
    | _lives(_TOGETHER, _MERGE, DELIVER, DELIVER, DELIVER, _SEND)
    | _merged()
)
"""Lives: awards first, most often; then anything; sometimes an end, and what comes after it.

Of one account for the most part, or of three that send each other points and are merged, early or after much happened.
"""

LIMITS: st.SearchStrategy[dict[str, Any]] = st.just({}) | st.fixed_dictionaries(
    {},
    optional={
        "per_day": st.integers(1, 4),
        "at_least": st.integers(1, 20),
        "step": st.sampled_from([2, 5]),
        "share": st.tuples(st.integers(1, 3), st.integers(3, 4)),
        "debt_allowed": st.booleans(),
        "month": st.integers(20, 100),
        "suspended": st.sampled_from([False] * 7 + [True]),
        # Told later than on the day of the activity itself: before that there is nothing to tell.
        "inactive": st.integers(1, 3).flatmap(lambda days: st.tuples(st.just(days), st.integers(0, days - 1))),
    },
)
