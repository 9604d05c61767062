"""What may happen to an account, drawn at random: kinds, numbers, and which earlier thing is meant."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st


@dataclass(frozen=True)
class Step:
    """What happens next, in which currency and with which numbers; `of` picks one of the things made before."""

    kind: str
    points: int = 0
    of: int = 0
    minutes: int = 0
    later: int | None = None
    flag: bool = False
    word: str = ""
    currency: str = "points"


CURRENCIES = ("points", "stamps")
_CURRENCY = st.sampled_from([*CURRENCIES[:1] * 3, *CURRENCIES[1:]])
_AWARD = st.integers(10, 150)
_PART = st.integers(1, 60)
NEVER_MADE = 3
_OF = st.sampled_from([0, 0, 0, 0, 0, 1, 1, 1, 2, 2, NEVER_MADE])
_LATER = st.none() | st.integers(1, 300)
_BILL = st.sampled_from([1_000, 1_000, 1_000, 40, None])
_POLICY = st.sampled_from(["to_zero", "negative", "negative", "refuse"])

ACCRUE = st.builds(
    Step,
    st.just("accrue"),
    currency=_CURRENCY,
    points=_AWARD,
    of=st.sampled_from([0, 0, 5, 60, 200]),
    minutes=st.sampled_from([0, 0, 0, 30, 100]),
    later=_LATER,
)
WAIT = st.builds(Step, st.just("wait"), minutes=st.sampled_from([1, 5, 10, 30, 100, 700, 2_000]))
SPEND = st.one_of(
    st.builds(Step, st.just("redeem"), currency=_CURRENCY, points=st.integers(-1, 60), later=_BILL),
    st.builds(Step, st.just("hold"), currency=_CURRENCY, points=_PART, minutes=st.integers(1, 60), later=_BILL),
    st.builds(Step, st.just("capture"), currency=_CURRENCY, points=st.integers(0, 40), of=_OF, flag=st.booleans()),
    st.builds(
        Step,
        st.just("purchase"),
        currency=_CURRENCY,
        points=_PART,
        of=_OF,
        minutes=st.sampled_from([0, 0, 5, 50]),
        later=st.sampled_from([None, None, 1]),
        flag=st.booleans(),
        word=_POLICY,
    ),
)
GIVE_BACK = st.one_of(
    st.builds(
        Step,
        st.just("reverse"),
        currency=_CURRENCY,
        points=_AWARD,
        of=_OF,
        word=st.sampled_from(["pending_only", "to_zero", "negative"]),
    ),
    st.builds(Step, st.just("release"), currency=_CURRENCY, of=_OF),
    st.builds(Step, st.just("restore"), currency=_CURRENCY, points=_PART, of=_OF, later=_LATER),
    st.builds(Step, st.just("undo"), currency=_CURRENCY, points=st.sampled_from([0, 0, 3, 10, 25]), of=_OF),
    st.builds(Step, st.just("answer"), currency=_CURRENCY, of=_OF, flag=st.booleans()),
)
OTHERWISE = st.one_of(
    st.builds(Step, st.just("adjust"), currency=_CURRENCY, points=st.integers(-50, 50), flag=st.booleans()),
    st.builds(Step, st.just("send"), currency=_CURRENCY, points=_PART),
    st.builds(Step, st.just("again"), of=st.integers(0, 30)),
    st.builds(Step, st.just("again"), of=st.integers(0, 30)),
    st.builds(Step, st.sampled_from(["freeze", "unfreeze", "unfreeze", "unfreeze"])),
)
END = st.builds(Step, st.sampled_from(["again", "again", "again", "close", "erase"]))

STEPS = st.builds(
    lambda first, middle, last: [*first, *middle, *last],
    st.lists(ACCRUE, min_size=0, max_size=3),
    st.lists(st.one_of(ACCRUE, SPEND, SPEND, SPEND, GIVE_BACK, GIVE_BACK, OTHERWISE, WAIT), min_size=10, max_size=40),
    st.lists(st.one_of(END, ACCRUE, SPEND, GIVE_BACK, OTHERWISE, WAIT), max_size=5),
)
"""A life: awards first, most often; then anything; sometimes an end, and what comes after it."""

LIMITS: st.SearchStrategy[dict[str, Any]] = st.just({}) | st.fixed_dictionaries(
    {},
    optional={
        "per_day": st.integers(1, 4),
        "at_least": st.integers(1, 20),
        "step": st.sampled_from([2, 5]),
        "share": st.tuples(st.integers(1, 3), st.integers(3, 4)),
        "debt_allowed": st.booleans(),
        "month": st.integers(20, 100),
        # Told later than on the day of the activity itself: before that there is nothing to tell.
        "inactive": st.integers(1, 3).flatmap(lambda days: st.tuples(st.just(days), st.integers(0, days - 1))),
    },
)
