"""What points are worth, when they count and lapse, levels, returns, and what else members should know."""

from collections.abc import Iterator
from datetime import date, datetime, time
from fractions import Fraction
from typing import Final

from services.rules.domain.programme import Currency, Duration, Redeem, Term, Tiers
from services.rules.explanation.languages import day, day_of_year
from services.rules.terms.conditions import with_goods
from services.rules.terms.grammar import lasting, purchases_of, sentence, times, within
from services.rules.terms.page import Item
from services.rules.terms.speaker import Speaker

_NEVER: Final = (None, Term())


def worth(speaker: Speaker) -> Iterator[Item]:
    """What a point is worth, and how much of a bill points pay."""
    redeem = speaker.version.redeem
    for currency in speaker.version.currencies:
        one = speaker.counted(Fraction(1), currency)
        if currency.worth:
            text = speaker.say("worth", one=one, money=speaker.money(currency.worth))
        else:
            text = speaker.say("worth:none", many=speaker.noun(currency).name)
        yield Item(f"worth:{currency.key}", sentence(text))
    if redeem is None:
        yield Item("redeem", sentence(speaker.say("redeem:no")))
        return
    for key, text in _redeeming(redeem, speaker):
        yield Item(f"redeem:{key}", sentence(text))


def _redeeming(redeem: Redeem, speaker: Speaker) -> Iterator[tuple[str, str]]:
    many = speaker.noun(speaker.version.currency(redeem.currency)).name
    if redeem.share_of_bill == 1:
        yield "share", speaker.say("redeem:all", many=many)
    else:
        yield "share", speaker.say("redeem:share", many=many, percent=speaker.percent(redeem.share_of_bill))
    if speaker.version.exclude_redeem is not None:
        yield "exclude", with_goods("exclude:redeem", speaker.version.exclude_redeem, speaker, many)
    step, least = redeem.step, redeem.at_least
    if least > 1:
        yield "at_least", speaker.say("redeem:at_least", **_both(least, redeem, speaker))
    if step > 1:
        yield "step", speaker.say("redeem:step", **_both(step, redeem, speaker))
    if redeem.per_day is not None:
        yield "day", speaker.say("redeem:day", times=times(Fraction(redeem.per_day), speaker.language))
    if redeem.confirm_above is not None:
        yield "confirm_above", speaker.say("redeem:confirm", **_both(redeem.confirm_above, redeem, speaker))


def _both(points: int, redeem: Redeem, speaker: Speaker) -> dict[str, str]:
    """Points as languages need them: counted, and in the genitive."""
    return {"points": speaker.points(points, redeem.currency), "of": speaker.points_of(points, redeem.currency)}


def counts(speaker: Speaker) -> Iterator[Item]:
    """From when on points can be spent."""
    for currency in speaker.version.currencies:
        text = activation(currency.activates or Term(), speaker.noun(currency).name, speaker)
        yield Item(f"activates:{currency.key}", sentence(text))


def activation(term: Term, many: str, speaker: Speaker) -> str:
    """When points begin to count."""
    if term.on is not None:
        return speaker.say("counts:on", many=many, day=_date(term, speaker))
    if term.day is not None:
        return speaker.say("counts:on", many=many, day=day_of_year(*term.day, speaker.language))
    after = lasting(term.after, speaker.language) if term.after and term.after.count else ""
    if term.at is None:
        return speaker.say("counts:after" if after else "counts:at_once", many=many, after=after)
    period = speaker.say(f"next:{term.at}")
    return speaker.say("counts:after:next" if after else "counts:next", many=many, after=after, period=period)


def lapse(speaker: Speaker) -> Iterator[Item]:
    """When points are lost."""
    for currency in speaker.version.currencies:
        many = speaker.noun(currency).name
        if currency.expires is not None or currency.inactive is None:
            yield Item(f"expires:{currency.key}", sentence(expiry(currency.expires or Term(), many, speaker)))
        if currency.inactive is not None:
            yield Item(f"inactive:{currency.key}", sentence(_inactivity(currency, currency.inactive, speaker)))
            if currency.inactivity_notice is not None:
                notice = lasting(currency.inactivity_notice, speaker.language)
                yield Item(f"notice:{currency.key}", sentence(speaker.say("lapse:notice", notice=notice)))
    if any(currency.expires not in _NEVER for currency in speaker.version.currencies):
        yield Item("soonest_first", sentence(speaker.say("lapse:soonest_first")))


def _inactivity(currency: Currency, silence: Duration, speaker: Speaker) -> str:
    said = within(silence, speaker.language)
    return speaker.say("lapse:inactive", many=speaker.noun(currency).name, silence=said)


def expiry(term: Term, many: str, speaker: Speaker) -> str:
    """Until when points are valid."""
    if term.on is not None:
        return speaker.say("lapse:on", many=many, day=_date(term, speaker))
    after = lasting(term.after, speaker.language) if term.after else ""
    if term.day is not None:
        said = day_of_year(*term.day, speaker.language)
        return speaker.say("lapse:after:day" if after else "lapse:day", many=many, after=after, day=said)
    if term.at is not None:
        period = speaker.say(f"end:{term.at}")
        return speaker.say("lapse:after:at" if after else "lapse:at", many=many, after=after, period=period)
    return speaker.say("lapse:after", many=many, after=after) if after else speaker.say("lapse:never", many=many)


def _date(term: Term, speaker: Speaker) -> str:
    at = datetime.combine(term.on or date.min, time.min, speaker.zone)
    return day(at, speaker.zone, speaker.language)


def levels(speaker: Speaker) -> Iterator[Item]:
    """What each level takes, and how long it lasts."""
    tiers = speaker.version.tiers
    if tiers is None:
        return
    yield Item("tiers:by", sentence(_measured(tiers, speaker)))
    for level in tiers.levels:
        least = _least(level.least, tiers, speaker)
        text = speaker.say("level" if level.least else "level:start", tier=speaker.tier(level.tier), least=least)
        yield Item(f"level:{level.tier}", sentence(text), bullet=True)
    yield Item("tiers:applies_from", sentence(speaker.say(f"level:{tiers.applies_from}")))
    keep_for = lasting(tiers.keep_for, speaker.language)
    yield Item("tiers:keep_for", sentence(speaker.say("level:keep_for", keep_for=keep_for)))
    grace = within(tiers.grace, speaker.language)
    then = speaker.say(f"level:then:{tiers.then}")
    text = speaker.say("level:grace" if tiers.grace.count else "level:end", grace=grace, then=then)
    yield Item("tiers:then", sentence(text))
    yield Item("tiers:on_return", sentence(speaker.say(f"level:on_return:{tiers.on_return}")))


def _measured(tiers: Tiers, speaker: Speaker) -> str:
    if tiers.calendar_year:
        window = speaker.say("window:calendar_year")
    elif tiers.window is None:
        window = speaker.say("window:lifetime")
    else:
        window = speaker.say("window", duration=within(tiers.window, speaker.language))
    many = speaker.noun(speaker.version.currency(tiers.currency)).name if tiers.currency else ""
    return speaker.say(f"level:by:{tiers.by}", window=window, many=many)


def _least(least: int, tiers: Tiers, speaker: Speaker) -> str:
    if tiers.by == "spend":
        return speaker.money(least)
    if tiers.by == "visits":
        return purchases_of(least, speaker.language)
    return speaker.points_of(least, tiers.currency)


def returned(speaker: Speaker) -> Iterator[Item]:
    """What happens to points when goods come back."""
    returns = speaker.version.returns
    yield Item("returns", sentence(speaker.say("returns")))
    yield Item("returns:spent", sentence(speaker.say(f"returns:{returns.spent}")))
    if speaker.version.redeem is None:
        return
    yield Item("returns:restored", sentence(speaker.say("returns:restored")))
    if returns.restore_for is not None:
        text = speaker.say("returns:restore_for", duration=lasting(returns.restore_for, speaker.language))
        yield Item("returns:restore_for", sentence(text))
    elif any(currency.expires not in _NEVER or currency.inactive for currency in speaker.version.currencies):
        yield Item("returns:restore_for", sentence(speaker.say("returns:no_restore")))
    if returns.frees_once:
        yield Item("returns:frees_once", sentence(speaker.say("returns:frees_once")))


def more(speaker: Speaker) -> Iterator[Item]:
    """Unknown cards, gifts between members, operators' debts, the calendar."""
    version = speaker.version
    members = version.members
    if members.unknown_card == "enrol":
        yield Item("unknown_card", sentence(speaker.say("unknown_card:enrol")))
    else:
        keep = within(members.keep, speaker.language)
        yield Item("unknown_card", sentence(speaker.say("unknown_card:keep", keep=keep)))
    if version.transfers is not None:
        points = speaker.points(version.transfers.per_month, version.transfers.currency)
        yield Item("transfer", sentence(speaker.say("transfer", points=points)))
    yield Item("zone", sentence(speaker.say("zone", zone=version.zone)))
