"""The parts of a programme file around its rules: tiers, redemption, returns, members, caps, transfers."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Literal, cast

from contracts.amounts import TEN_THOUSANDTHS
from services.rules.domain.programme import (
    Cap,
    CapPeriod,
    Duration,
    Level,
    Members,
    Partner,
    Redeem,
    Returns,
    Tiers,
    Transfers,
    UnbackedPolicy,
)
from services.rules.programme_file import scalars
from services.rules.programme_file.currencies import Currencies
from services.rules.programme_file.errors import nearest
from services.rules.programme_file.fields import Fields, code_of, part_of, understood
from services.rules.programme_file.nodes import Node, Scalar
from services.rules.programme_file.scalars import NotUnderstoodError

_PERIODS: Final[tuple[CapPeriod, ...]] = ("purchase", "day", "week", "month", "year", "campaign", "member")
_KEEP: Final = "keep "
_HOUR_S: Final = {"minutes": 60, "hours": 3_600}


def tier_names(programme: Fields) -> tuple[str, ...]:
    """The tiers that a programme names, before anything else is read: conditions and rates are checked against them."""
    tiers = programme.get("tiers")
    levels = getattr(tiers, "entries", {}).get("levels")
    found = [getattr(level, "entries", {}).get("tier") for level in getattr(levels, "items", ())]
    return tuple([node.value for node in found if isinstance(node, Scalar)])


def tiers_of(programme: Fields, currencies: Currencies) -> Tiers | None:
    """How members rise and fall; None if the programme has no tiers."""
    fields = programme.part_of("tiers", "tiers")
    if fields is None:
        return None
    by = fields.text("by")
    currency = ""
    kind: Literal["spend", "points", "visits"] = "spend"
    scale = TEN_THOUSANDTHS
    if by == "visits":
        kind, scale = "visits", 1
    elif by != "spend":
        kind = "points"
        known = {"points": currencies.first, **currencies.by_key}
        named = known.get(by)
        if named is None:
            suggestion = nearest(by, (*known, "spend", "visits")) or "write spend, visits or points"
            fields.faults.add(fields.place("by"), "not_understood", f"levels are not reached by `{by}`", suggestion)
        currency, scale = (named.key, 10**named.scale) if named else ("", 1)
    window = fields.read("window", _window)
    return Tiers(
        levels=_levels(fields, scale),
        by=kind,
        currency=currency,
        window=window if isinstance(window, Duration) else None,
        calendar_year=window == "calendar_year",
        applies_from=_any(fields.choice("applies_from")),
        keep_for=fields.duration("keep_for") or Duration(12, "months"),
        grace=fields.duration("grace") or Duration(0, "days"),
        then=_any(fields.choice("then")),
        on_return=_any(fields.choice("on_return")),
        of=_any(fields.choice("of")),
    )


def _window(text: str) -> Duration | str:
    if text in {"calendar_year", "lifetime"}:
        return text
    try:
        found = scalars.duration(text)
    except NotUnderstoodError as error:
        raise NotUnderstoodError(str(error), "write 12 months, calendar_year or lifetime") from error
    if found.unit in _HOUR_S or not found.count:
        raise NotUnderstoodError(f"`{text}` is too short to look back over", "write 12 months")
    return found


def _levels(fields: Fields, scale: int) -> tuple[Level, ...]:
    """The levels, which must rise; what they take is in the smallest unit of what is counted."""
    found: list[Level] = []
    for node in fields.items("levels"):
        level = part_of(node, "level", fields.faults)
        tier = level.code("tier") if level else ""
        least = level.read("from", scalars.number) if level else None
        if level is None or least is None or not tier:
            continue
        taken = Fraction(least) * scale
        if taken.denominator != 1:
            fields.faults.add(level.place("from"), "too_many_decimals", "this has more decimals than what is counted")
        if tier in [other.tier for other in found]:
            fields.faults.add(
                level.place("tier"), "overlaps", f"there are two levels `{tier}`", "give each its own name"
            )
        if found and taken <= found[-1].least:
            message = f"`{tier}` begins where `{found[-1].tier}` has begun already"
            fields.faults.add(
                level.place("from"), "overlaps", message, "levels rise: write more than for the one before"
            )
        found.append(Level(tier, int(taken), level.words("name")))
    return tuple(found)


def redeem_of(programme: Fields, currencies: Currencies) -> Redeem | None:
    """What may be spent; by default all of any bill, in the first currency that is worth something."""
    fields = programme.part_of("redeem", "redeem")
    if fields is None:
        worth = next((currency for currency in currencies.by_key.values() if currency.worth), None)
        return Redeem(worth.key) if worth and not programme.has("redeem") else None
    currency = currencies.named(fields.text("currency"), fields.place("currency"))
    if currency is None:
        return None
    if not currency.worth:
        message = f"`{currency.key}` is worth nothing, so it cannot pay a bill"
        fields.faults.add(fields.node.place, "divides_by_zero", message, "give it a worth, or name another currency")
    share = fields.read("share_of_bill", scalars.percent)
    if share is not None and not 0 < share <= 1:
        fields.faults.add(fields.place("share_of_bill"), "out_of_bounds", "a share is above 0 % and at most 100 %")
    return Redeem(
        currency=currency.key,
        share_of_bill=share or Fraction(1),
        step=_own(fields, "step", currencies, currency.key) or 1,
        at_least=_own(fields, "at_least", currencies, currency.key) or 0,
        per_day=fields.read("day", scalars.times),
        hold=fields.duration("hold") or Duration(15, "minutes"),
        confirm_above=_own(fields, "confirm_above", currencies, currency.key),
        unbacked=cast("UnbackedPolicy", fields.choice("unbacked")),
    )


def _own(fields: Fields, word: str, currencies: Currencies, currency: str) -> int | None:
    """Points that must be of one currency; None if left out."""
    points = currencies.points(fields.get(word))
    if points is None:
        return None
    if points.currency != currency:
        fields.faults.add(
            fields.place(word), "wrong_currency", f"this is about `{currency}`", f"write it in {currency}"
        )
    if word == "step" and not points.value:
        fields.faults.add(fields.place(word), "divides_by_zero", "a step of nothing leads nowhere", "leave it out")
    return points.value


def returns_of(programme: Fields) -> Returns:
    """What happens on a return."""
    fields = programme.part_of("returns", "returns")
    if fields is None:
        return Returns()
    return Returns(_any(fields.choice("spent")), fields.duration("restore_for"), fields.yes("frees_once"))


def members_of(programme: Fields) -> Members:
    """What becomes of purchases by unknown cards."""
    fields = programme.part_of("members", "members")
    return Members() if fields is None else fields.read("unknown_card", _unknown_card) or Members()


def _unknown_card(text: str) -> Members:
    if text == "enrol":
        return Members("enrol")
    written = scalars.plain(text)
    if not written.startswith(_KEEP):
        raise NotUnderstoodError(f"`{text}` is not understood", "write keep 30 days, or enrol")
    return Members("keep", scalars.duration(written.removeprefix(_KEEP)))


def transfers_of(programme: Fields, currencies: Currencies) -> Transfers | None:
    """How much may be given to others; None: nothing."""
    fields = programme.part_of("transfer", "transfer")
    points = currencies.points(fields.get("month")) if fields else None
    return Transfers(points.currency, points.value) if points else None


def partners_of(programme: Fields) -> tuple[Partner, ...]:
    """The partners of a coalition; their rates become rules."""
    found = []
    stores: set[str] = set()
    for key, node in programme.entries("partners"):
        fields = part_of(node, "partner", programme.faults)
        if fields is None:
            continue
        own = frozenset(fields.codes("stores"))
        if own & stores:
            message = f"another partner has the store {min(own & stores)}"
            programme.faults.add(fields.place("stores"), "overlaps", message, "name each store once")
        stores |= own
        found.append(Partner(key, own, fields.words("name")))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class CapTerms:
    """What a cap may say: `currency` where it must be of one, `campaign` where the rule has a first day."""

    currency: str | None = None
    of_rule: bool = True


def caps_of(fields: Fields | None, currencies: Currencies, terms: CapTerms) -> tuple[Cap, ...]:
    """The caps of a rule, or of the programme."""
    if fields is None:
        return ()
    per_member = fields.choice("per") == "member"
    found = [
        _cap(period, node, fields, currencies, per_member=per_member)
        for period in _PERIODS
        for node in fields.items(period)
    ]
    if fields.has("campaign") and not terms.of_rule:
        fields.faults.add(fields.place("campaign"), "no_campaign", "a programme is no campaign", "write it in a rule")
    for cap in found:
        if cap is not None and cap.currency and terms.currency not in {None, cap.currency}:
            message = f"this rule gives `{terms.currency}`, not `{cap.currency}`"
            fields.faults.add(fields.place(cap.period), "wrong_currency", message)
    return tuple([cap for cap in found if cap is not None])


def _cap(period: CapPeriod, node: Node, fields: Fields, currencies: Currencies, *, per_member: bool) -> Cap | None:
    if isinstance(node, Scalar) and scalars.says_times(node.value):
        times = understood(node, scalars.times, fields.faults)
        if period == "purchase":
            fields.faults.add(node.place, "no_meaning", "a purchase is one time", "write points, or day: 1 time")
        return Cap(period, times=times, per_member=per_member) if times else None
    points = currencies.points(node)
    return Cap(period, points=points.value, currency=points.currency, per_member=per_member) if points else None


def codes_of(fields: Fields, word: str) -> frozenset[str]:
    """A set of keys."""
    found = [understood(node, code_of, fields.faults) for node in fields.items(word)]
    return frozenset([code for code in found if code])


def _any(choice: str) -> Any:  # noqa: ANN401  # the schema's enum is the Literal of the field; a test compares them
    return choice
