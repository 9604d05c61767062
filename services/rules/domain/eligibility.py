"""Which rules may give at all: whose they are, when they run, and what was given before.

The reasons, in the order in which they are looked for: `card_category_not_eligible`, `not_in_audience`, `held_out`,
`not_near_birthday`, `birthday_too_fresh`, `no_rate_for_tier`, `self_referral`, `no_recipient`, `condition_false`,
`condition_failed`, `already_given`, `capped_per_…`.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from hashlib import sha256
from typing import Final

from services.rules.domain.answers import Answers
from services.rules.domain.birthdays import birthday_of, known_long_enough
from services.rules.domain.counting import CapScope, once_key, rooms
from services.rules.domain.facts import ONESELF
from services.rules.domain.programme import BIRTHDAY, Rule
from services.rules.domain.situation import Situation, situation_reader

Check = Callable[[Answers], str | None]
"""Why a rule may not give, or None."""

ONCE_PER_MEMBER: Final = "member"
ONCE_PER_BIRTHDAY: Final = "birthday"
LINE_SELLER: Final = "line.seller"
REFERRER: Final = "member.referred_by"
_HOLDOUT_STEPS: Final = 1_000_000
_HELD_OUT_REMEMBERED: Final = 65_536


def checks_of(rule: Rule) -> tuple[Check, ...]:
    """The checks that a rule needs; most rules need few."""
    checks: list[tuple[object, Callable[[Rule, Answers], str | None]]] = [
        (rule.card_categories, _card_category),
        (rule.audience.segments or rule.audience.members, _audience),
        (rule.audience.holdout, _holdout),
        (rule.birthday, _birthday),
        (rule.by_tier, _tier),
        (REFERRER in (rule.to, *_facts_in(rule)), _self_referral),
        (rule.to and rule.to != LINE_SELLER, _recipient),
        (rule.when, _when),
        (rule.once_per, _once),
        (rule.caps, _caps),
    ]
    return tuple([partial(check, rule) for needed, check in checks if needed])


def _facts_in(rule: Rule) -> tuple[str, ...]:
    """The referrer, if the rule's condition asks for one."""
    return (REFERRER,) if rule.when is not None and REFERRER in rule.when.text else ()


def once_key_of(rule: Rule, situation: Situation) -> str:
    """The counter that says whether a rule with `once_per` has given before."""
    what = rule.once_per or ONCE_PER_MEMBER
    if what == ONCE_PER_MEMBER:
        return once_key(rule.key, what)
    if what == ONCE_PER_BIRTHDAY:
        return once_key(rule.key, what, str(_birthday_year(rule, situation)))
    return once_key(rule.key, what, str(situation_reader(what)(situation)))


def _birthday_year(rule: Rule, situation: Situation) -> int:
    """The year of the birthday that is rewarded: in the first days of January it may be the year to come."""
    born = situation.facts.birthday
    birthday = birthday_of(born, situation.today, rule.birthday) if born and rule.birthday else None
    return birthday.year if birthday else situation.today.year


def _card_category(rule: Rule, answers: Answers) -> str | None:
    allowed = answers.situation.facts.card_category in rule.card_categories
    return None if allowed else "card_category_not_eligible"


def _audience(rule: Rule, answers: Answers) -> str | None:
    audience, situation = rule.audience, answers.situation
    meant = situation.facts.member_id in audience.members or any(
        segment in audience.segments for segment in situation.segments
    )
    return None if meant else "not_in_audience"


def _holdout(rule: Rule, answers: Answers) -> str | None:
    return "held_out" if is_held_out(rule, answers.situation.facts.member_id) else None


def is_held_out(rule: Rule, member_id: str) -> bool:
    """Whether a member is of the share that a rule keeps out: always the same members, whatever the version."""
    share = rule.audience.holdout
    return _drawn(rule.key, member_id) * share.denominator < share.numerator * _HOLDOUT_STEPS


@lru_cache(maxsize=_HELD_OUT_REMEMBERED)
def _drawn(rule: str, member_id: str) -> int:
    """A number below `_HOLDOUT_STEPS` that stays with the member for this rule, whatever the version or the day."""
    return int.from_bytes(sha256(f"{rule}\x1f{member_id}".encode()).digest()[:8]) % _HOLDOUT_STEPS


def _birthday(rule: Rule, answers: Answers) -> str | None:
    situation = answers.situation
    facts, window = situation.facts, rule.birthday
    if window is None or rule.event == BIRTHDAY:
        return None
    if facts.birthday is None or birthday_of(facts.birthday, situation.today, window) is None:
        return "not_near_birthday"
    known_at = facts.birthday_known_at
    known = known_at.astimezone(situation.local.tzinfo).date() if known_at else None
    return None if known_long_enough(known, situation.today, window) else "birthday_too_fresh"


def _tier(rule: Rule, answers: Answers) -> str | None:
    return None if answers.situation.facts.tier in rule.by_tier else "no_rate_for_tier"


def _self_referral(_: Rule, answers: Answers) -> str | None:
    return "self_referral" if answers.situation.facts.referred_by == ONESELF else None


def _recipient(rule: Rule, answers: Answers) -> str | None:
    return None if situation_reader(rule.to)(answers.situation) else "no_recipient"


def _when(rule: Rule, answers: Answers) -> str | None:
    if rule.when is None:
        return None
    held = answers.holds(rule.when, rule.key)
    if held:
        return None
    return "condition_failed" if held is None else "condition_false"


def _once(rule: Rule, answers: Answers) -> str | None:
    situation = answers.situation
    return "already_given" if situation.facts.counters.get(once_key_of(rule, situation), 0) else None


def _caps(rule: Rule, answers: Answers) -> str | None:
    if rule.to:
        # The caps of such a rule are of the one who receives, and are looked at in that account.
        return None
    situation = answers.situation
    left = rooms(CapScope.of(rule), rule.caps, situation.today, situation.facts.member_id, situation.facts.counters)
    return next((room.code for room in left if room.left == 0), None)
