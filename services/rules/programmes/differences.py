"""What changes for members from one version of a programme to another, in words, one sentence each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from contracts.amounts import format_decimal, format_points
from services.rules.domain.programme import Cap, Currency, Duration, Give, ProgrammeVersion, Rule, Term, Tiers

Thing = TypeVar("Thing")


def differences(old: ProgrammeVersion, new: ProgrammeVersion) -> list[str]:
    """Every change; an empty list where members notice nothing."""
    return [
        *_changed("the programme's zone", old.zone, new.zone),
        *_changed("the money", old.money, new.money),
        *_things("currency", _by_key(old.currencies), _by_key(new.currencies), _currency),
        *_things("rule", _by_key(old.rules), _by_key(new.rules), _rule_of(old, new)),
        *_changed("caps of the whole programme", _caps(old.caps), _caps(new.caps)),
        *_changed("what is excluded from earning", _condition(old.exclude_earn), _condition(new.exclude_earn)),
        *_changed("what is excluded from redeeming", _condition(old.exclude_redeem), _condition(new.exclude_redeem)),
        *_changed("payments that earn nothing", _names(old.exclude_payments), _names(new.exclude_payments)),
        *_changed("cards that take part", _names(old.card_categories), _names(new.card_categories)),
        *_tiers(old.tiers, new.tiers),
        *_redeeming(old, new),
        *_changed("points spent on what is returned", old.returns.spent, new.returns.spent),
        *_changed("a card that nobody holds", old.members.unknown_card, new.members.unknown_card),
    ]


def _changed(what: str, before: object, after: object) -> Iterator[str]:
    if before != after:
        yield f"{what}: {_worded(before)} → {_worded(after)}"


def _worded(value: object) -> str:
    return "nothing" if value in (None, "") else str(value)


def _things(
    kind: str,
    before: Mapping[str, Thing],
    after: Mapping[str, Thing],
    compare: Callable[[Thing, Thing], Iterator[str]],
) -> Iterator[str]:
    for key in before:
        if key not in after:
            yield f"{kind} {key}: ends"
    for key, thing in after.items():
        if key not in before:
            yield f"{kind} {key}: is new"
        else:
            yield from compare(before[key], thing)


def _by_key(things: Sequence[Thing]) -> dict[str, Thing]:
    return {thing.key: thing for thing in things}  # type: ignore[attr-defined]  # currencies and rules have one


def _currency(old: Currency, new: Currency) -> Iterator[str]:
    name = f"currency {new.key}"
    yield from _changed(f"{name}, decimals", old.scale, new.scale)
    yield from _changed(f"{name}, worth of one", format_decimal(old.worth), format_decimal(new.worth))
    yield from _changed(f"{name}, rounding", f"{old.rounding} by {old.round_by}", f"{new.rounding} by {new.round_by}")
    yield from _changed(f"{name}, counts", _term(old.activates) or "at once", _term(new.activates) or "at once")
    yield from _changed(f"{name}, lapses", _term(old.expires) or "never", _term(new.expires) or "never")
    yield from _changed(f"{name}, lapses after silence of", _duration(old.inactive), _duration(new.inactive))


def _rule_of(old: ProgrammeVersion, new: ProgrammeVersion) -> Callable[[Rule, Rule], Iterator[str]]:
    place_before = {rule.key: index for index, rule in enumerate(old.rules)}
    place_after = {rule.key: index for index, rule in enumerate(new.rules)}

    def compare(before: Rule, after: Rule) -> Iterator[str]:
        name = f"rule {after.key}"
        yield from _changed(f"{name}, gives", _gives(before), _gives(after))
        yield from _changed(f"{name}, when", _condition(before.when), _condition(after.when))
        yield from _changed(f"{name}, lines", _condition(before.lines), _condition(after.lines))
        yield from _changed(f"{name}, from", before.starts_at, after.starts_at)
        yield from _changed(f"{name}, until", before.ends_at, after.ends_at)
        yield from _changed(f"{name}, caps", _caps(before.caps), _caps(after.caps))
        yield from _changed(f"{name}, once per", before.once_per, after.once_per)
        yield from _changed(f"{name}, best of", before.best_of, after.best_of)
        yield from _changed(f"{name}, cards", _names(before.card_categories), _names(after.card_categories))
        if before.best_of and place_before[before.key] != place_after[after.key]:
            yield f"{name}: its place in the file changes, which decides between equals"

    return compare


def _gives(rule: Rule) -> str:
    if rule.give is not None:
        return _give(rule.give)
    return ", ".join(f"{tier} {_give(give)}" for tier, give in rule.by_tier.items())


def _give(give: Give) -> str:
    return give.text or f"{give.value} {give.kind}"


def _caps(caps: Sequence[Cap]) -> str:
    return ", ".join(_cap(cap) for cap in caps)


def _cap(cap: Cap) -> str:
    most = f"{cap.times} times" if cap.times is not None else f"{cap.points} smallest units of {cap.currency}"
    return f"{most} per {cap.period}"


def _condition(condition: object) -> str:
    return getattr(condition, "text", "")


def _names(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def _term(term: Term | None) -> str:
    if term is None:
        return ""
    parts = [str(part) for part in (term.after, term.at, term.day, term.on) if part is not None]
    return ", ".join(parts).replace("_", " ")


def _duration(duration: Duration | None) -> str:
    return str(duration) if duration else ""


def _tiers(old: Tiers | None, new: Tiers | None) -> Iterator[str]:
    if old is None or new is None:
        yield from _changed("levels", "none" if old is None else "some", "none" if new is None else "some")
        return
    before = {level.tier: level.least for level in old.levels}
    after = {level.tier: level.least for level in new.levels}
    for tier in before:
        if tier not in after:
            yield f"level {tier}: ends"
    for tier, least in after.items():
        if tier not in before:
            yield f"level {tier}: is new, from {_least(least, new)}"
        else:
            yield from _changed(f"level {tier}, from", _least(before[tier], old), _least(least, new))
    window = "levels, what counts"
    yield from _changed(window, f"{old.by} in {old.window or 'a life'}", f"{new.by} in {new.window or 'a life'}")
    yield from _changed("levels, kept for", f"{old.keep_for} and {old.grace}", f"{new.keep_for} and {new.grace}")
    yield from _changed("levels, then", old.then, new.then)
    yield from _changed("levels, on a return", old.on_return, new.on_return)
    yield from _changed("levels, apply from", old.applies_from, new.applies_from)


def _least(least: int, tiers: Tiers) -> str:
    return format_decimal(least) if tiers.by == "spend" else str(least)


def _redeeming(old: ProgrammeVersion, new: ProgrammeVersion) -> Iterator[str]:
    if old.redeem is None or new.redeem is None:
        yield from _changed(
            "paying with points", "no" if old.redeem is None else "yes", "no" if new.redeem is None else "yes"
        )
        return
    before, after = old.redeem, new.redeem
    yield from _changed(
        "paying with points, share of the bill", f"{before.share_of_bill * 100} %", f"{after.share_of_bill * 100} %"
    )
    for what, least_before, least_after in (
        ("step", before.step, after.step),
        ("at least", before.at_least, after.at_least),
    ):
        scales = old.currency(before.currency).scale, new.currency(after.currency).scale
        texts = format_points(least_before, scales[0]), format_points(least_after, scales[1])
        yield from _changed(f"paying with points, {what}", *texts)
    yield from _changed("paying with points, times a day", before.per_day, after.per_day)
    yield from _changed("paying with points that nothing backs", before.unbacked, after.unbacked)
