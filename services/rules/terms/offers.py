"""How members earn: one sentence or two for each rule, campaigns with their dates, and limits."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from services.rules.domain.eligibility import LINE_SELLER, ONCE_PER_BIRTHDAY, ONCE_PER_MEMBER
from services.rules.domain.programme import BIRTHDAY, ENROLMENT, PURCHASE, Cap, Duration, Give, Rule
from services.rules.terms.conditions import Clauses, clauses_of, goods_at, with_goods
from services.rules.terms.grammar import all_of, any_of, quoted, sentence, times, within
from services.rules.terms.page import Item
from services.rules.terms.points import activation, expiry
from services.rules.terms.speaker import Speaker

_ACTIVITY = "activity."
_COUNTED = frozenset({"percent", "per_amount"})


def how_to_earn(speaker: Speaker) -> Iterator[Item]:
    """What is earned at any time by anybody, and what earns nothing."""
    rules = [rule for rule in speaker.version.rules if not is_campaign(rule)]
    # What everybody meets every day comes first; then what is done once, or besides buying.
    rules.sort(key=lambda rule: (rule.event != PURCHASE, rule.once_per is not None))
    yield from (_item(rule, speaker) for rule in rules)
    yield from _what_counts(speaker)
    yield from _not_earning(speaker)
    yield from _together(rules, speaker)


def campaigns(speaker: Speaker) -> Iterator[Item]:
    """Offers with dates, for some members, or around a birthday."""
    rules = [rule for rule in speaker.version.rules if is_campaign(rule)]
    yield from (_item(rule, speaker) for rule in rules)
    used = {segment for rule in rules for segment in rule.audience.segments}
    for segment in speaker.version.segments:
        if segment.key in used:
            clauses = clauses_of(segment.condition, speaker)
            provided = speaker.say("if", clauses=all_of(clauses.provided, speaker.language))
            text = speaker.say("segment", name=speaker.quote(segment.key), provided=provided)
            yield Item(f"segment:{segment.key}", sentence(text))
    yield from _together(rules, speaker)


def limits(speaker: Speaker) -> Iterator[Item]:
    """What purchases may bring in all, and whose cards take part."""
    for cap in speaker.version.caps:
        phrase = "cap:programme" if cap.times is None else "cap:programme:times"
        kind = cap.currency or "times"
        yield Item(f"cap:{cap.period}:{kind}", sentence(speaker.say(phrase, cap=_cap(cap, speaker))))
    if speaker.version.card_categories:
        cards = any_of([speaker.quote(each) for each in sorted(speaker.version.card_categories)], speaker.language)
        yield Item("card_categories", sentence(speaker.say("cards", cards=cards)))


def is_campaign(rule: Rule) -> bool:
    """Whether a rule is for some time or for some members only."""
    audience = rule.audience
    dated = rule.starts_at is not None or rule.ends_at is not None
    return dated or bool(audience.segments or audience.members or audience.holdout) or rule.birthday is not None


def _item(rule: Rule, speaker: Speaker) -> Item:
    return Item(f"rule:{rule.key}", rule_text(rule, speaker), bullet=True)


def rule_text(rule: Rule, speaker: Speaker) -> str:
    """A rule as members read it."""
    name, dates = speaker.rule(rule), _dates(rule, speaker)
    head = f"**{name}** ({dates})" if name and dates else f"**{name}**" if name else dates
    own = speaker.words(rule.terms)
    # What depends on the level goes on behind a comma: its own colon follows.
    between = ": " if rule.give is not None else ", "
    said = [own] if own else [_subject(rule, speaker) + between + _gift(rule, speaker), *_extras(rule, speaker)]
    return " ".join(map(sentence, [head, *said] if head else said))


def _dates(rule: Rule, speaker: Speaker) -> str:
    parts = []
    if rule.starts_at is not None:
        parts.append(speaker.say("dates:from", first=speaker.from_day(rule.starts_at)))
    if rule.ends_at is not None:
        last = speaker.to_day(rule.ends_at)
        # A last day counts whole, an hour ends it: Russian has two words for that.
        exact = speaker.from_day(rule.ends_at) == last
        parts.append(speaker.say("dates:to_moment" if exact else "dates:to", last=last))
    return " ".join(parts)


def _subject(rule: Rule, speaker: Speaker) -> str:
    """What the rule is for: a purchase of some kind, some goods, or something else that a member does."""
    clauses = clauses_of(rule.when, speaker)
    of_lines = clauses_of(rule.lines, speaker)
    clauses.goods = of_lines.goods
    clauses.at += of_lines.at
    clauses.provided += of_lines.provided
    if rule.event == PURCHASE:
        text = _purchase(rule, clauses, speaker)
    elif rule.event == ENROLMENT:
        text = speaker.say("for:enrolment")
    elif rule.event == BIRTHDAY:
        text = speaker.say("for:birthday")
    else:
        name = rule.event.removeprefix(_ACTIVITY)
        is_named = bool(speaker.version.texts.words.get(name)) or not speaker.has(f"for:activity:{name}")
        text = (
            speaker.say("for:activity", name=speaker.quote(name)) if is_named else speaker.say(f"for:activity:{name}")
        )
    if rule.event != PURCHASE:
        text = " ".join([text, *clauses.at])
    provided = [*_whose(rule, speaker), *clauses.provided]
    if not provided:
        return text
    return f"{text}, {speaker.say('if', clauses=all_of(provided, speaker.language))}"


def _purchase(rule: Rule, clauses: Clauses, speaker: Speaker) -> str:
    goods = list(clauses.goods)
    if rule.partner:
        goods.append(speaker.say("goods:partner", partner=speaker.partner(rule.partner)))
    at = [*_birthday(rule, speaker), *clauses.at]
    off = ":off" if rule.gives[0].kind == "percent_off" else ""
    if clauses.is_first:
        kind = "first"
    else:
        kind = "goods" if goods else "some" if at or clauses.provided or rule.audience.segments else "every"
    said = speaker.say(f"for:{kind}{off}")
    return " ".join([said, goods_at(goods, at, speaker)] if goods else [said, *at])


def _birthday(rule: Rule, speaker: Speaker) -> list[str]:
    window = rule.birthday
    if window is None:
        return []
    days = [
        speaker.say(f"birthday:{side}", days=_days(count, speaker))
        for side, count in (("before", window.before), ("after", window.after))
        if count
    ]
    days.insert(1 if window.before else 0, speaker.say("birthday:day"))
    return [all_of(days, speaker.language)]


def _days(count: int, speaker: Speaker) -> str:
    return within(Duration(count, "days"), speaker.language)


def _whose(rule: Rule, speaker: Speaker) -> Iterator[str]:
    audience = rule.audience
    if audience.segments:
        groups = any_of([speaker.quote(segment) for segment in audience.segments], speaker.language)
        yield speaker.say("if:group", groups=groups)
    if audience.members:
        yield speaker.say("if:invited")
    if rule.card_categories:
        cards = any_of([speaker.quote(each) for each in sorted(rule.card_categories)], speaker.language)
        yield speaker.say("if:cards", cards=cards)


def _gift(rule: Rule, speaker: Speaker) -> str:
    if rule.give is not None:
        text = _give(rule.give, speaker)
    else:
        share = "give:short" if rule.gives[0].kind == "percent" else "give:by_tier"
        levels = [f"{speaker.tier(tier)} – {_give(give, speaker, short=True)}" for tier, give in rule.by_tier.items()]
        text = speaker.say(share, levels="; ".join(levels))
    if not rule.to:
        return text
    return speaker.say("give:to_seller" if rule.to == LINE_SELLER else "give:to_referrer", gift=text)


def _give(give: Give, speaker: Speaker, *, short: bool = False) -> str:
    if give.kind == "percent_off":
        return speaker.say("give:off", percent=speaker.percent(give.value))
    currency = speaker.version.currency(give.currency)
    if give.kind == "percent":
        points, money = speaker.rate(give)
        phrase = "give:percent:short" if short else "give:percent"
        return speaker.say(phrase, percent=speaker.percent(give.value), points=points, money=money)
    if give.kind == "multiplier":
        phrase = f"give:x{give.value}" if speaker.has(f"give:x{give.value}") else "give:x"
        many = speaker.noun(currency).many
        return speaker.say(phrase, times=times(give.value, speaker.language), many=many)
    points = speaker.points(give.value, give.currency)
    if give.kind == "per_amount":
        return speaker.say("give:per_amount", points=points, money=speaker.money(give.per))
    return speaker.say("give:per_unit", points=points) if give.kind == "per_unit" else points


def _extras(rule: Rule, speaker: Speaker) -> Iterator[str]:
    """What else there is to know of a rule."""
    yield from _once(rule, speaker)
    if rule.birthday is not None and rule.birthday.on_file:
        yield speaker.say("birthday:on_file", days=_days(rule.birthday.on_file, speaker))
    for cap in rule.caps:
        yield speaker.say("cap:receiver", cap=_cap(cap, speaker)) if rule.to else _cap(cap, speaker)
    yield from _own_dates(rule, speaker)
    if rule.budget is not None:
        yield speaker.say("budget", points=speaker.points(rule.budget.total, rule.budget.currency))
    if rule.audience.holdout:
        yield speaker.say("holdout", percent=speaker.percent(rule.audience.holdout))
    if rule.stop:
        yield speaker.say("stop")
    yield from _own_base(rule, speaker)


def _own_dates(rule: Rule, speaker: Speaker) -> Iterator[str]:
    if rule.activates is None and rule.expires is None:
        return
    these = speaker.say("these", many=speaker.noun(speaker.version.currency(rule.gives[0].currency)).name)
    if rule.activates is not None:
        yield activation(rule.activates, these, speaker)
    if rule.expires is not None:
        yield expiry(rule.expires, these, speaker)


def _own_base(rule: Rule, speaker: Speaker) -> Iterator[str]:
    """Where a rule counts money otherwise than the programme does."""
    if rule.gives[0].kind not in _COUNTED:
        return
    if rule.base != _most(speaker, "base"):
        yield speaker.say(f"base:{rule.base}")
    if rule.counts_points_paid != _most(speaker, "counts_points_paid"):
        many = speaker.noun(speaker.version.currencies[0]).name
        yield speaker.say("points_paid:yes" if rule.counts_points_paid else "points_paid:no", many=many)


def _once(rule: Rule, speaker: Speaker) -> Iterator[str]:
    if rule.once_per is None or rule.event in {ENROLMENT, BIRTHDAY}:
        return
    if rule.once_per == ONCE_PER_MEMBER and clauses_of(rule.when, speaker).is_first:
        return
    if rule.once_per in {ONCE_PER_MEMBER, ONCE_PER_BIRTHDAY, "activity.product"}:
        yield speaker.say(f"once:{rule.once_per}")
    else:
        yield speaker.say("once:other", fact=quoted(rule.once_per, speaker.language))


def _cap(cap: Cap, speaker: Speaker) -> str:
    if cap.times is not None:
        text = speaker.say(f"cap:times:{cap.period}", times=times(Fraction(cap.times), speaker.language))
    else:
        text = speaker.say(f"cap:points:{cap.period}", points=speaker.points(cap.points or 0, cap.currency))
    return speaker.say("cap:each", cap=text) if cap.per_member else text


def _most(speaker: Speaker, word: str) -> object:
    """What the first rule that counts money says of this, which stands for the programme."""
    return next((getattr(rule, word) for rule in speaker.version.rules if rule.gives[0].kind in _COUNTED), None)


def _what_counts(speaker: Speaker) -> Iterator[Item]:
    """Of what percentages and amounts are counted, and how it is rounded."""
    if _most(speaker, "base") is None:
        return
    if _most(speaker, "base") == "net":
        yield Item("base", sentence(speaker.say("base:net")))
    if speaker.version.redeem is not None:
        paid = "points_paid:yes" if _most(speaker, "counts_points_paid") else "points_paid:no"
        paying = speaker.version.currency(speaker.version.redeem.currency)
        yield Item("points_paid", sentence(speaker.say(paid, many=speaker.noun(paying).name)))
    for currency in speaker.version.currencies:
        if any(give.currency == currency.key and give.kind == "percent" for give in _gives(speaker.version.rules)):
            least = speaker.points_of(1, currency.key)
            by = speaker.say(f"round_by:{currency.round_by}")
            text = speaker.say(f"rounding:{currency.rounding}", least=least, by=by)
            yield Item(f"rounding:{currency.key}", sentence(text))


def _gives(rules: Sequence[Rule]) -> Iterator[Give]:
    for rule in rules:
        yield from rule.gives


def _not_earning(speaker: Speaker) -> Iterator[Item]:
    version = speaker.version
    if version.exclude_earn is not None:
        yield Item("exclude_earn", sentence(with_goods("exclude:earn", version.exclude_earn, speaker)))
    if version.exclude_payments:
        payments = all_of([speaker.quote(each) for each in sorted(version.exclude_payments)], speaker.language)
        yield Item("exclude_payments", sentence(speaker.say("exclude:payments", payments=payments)))


def _together(rules: Sequence[Rule], speaker: Speaker) -> Iterator[Item]:
    """Which offers do not add up."""
    groups: dict[str, list[Rule]] = {}
    for rule in rules:
        if rule.best_of:
            groups.setdefault(rule.best_of, []).append(rule)
    for word, group in groups.items():
        everywhere = [rule for rule in speaker.version.rules if rule.best_of == word]
        if len(everywhere) > 1 and everywhere[0] in group:
            names = [quoted(speaker.rule(rule) or speaker.named(rule.key), speaker.language) for rule in everywhere]
            phrase = "best_of:whole" if group[0].gives[0].kind == "fixed" else "best_of"
            text = speaker.say(phrase, names=all_of(names, speaker.language))
            yield Item(f"best_of:{word}", sentence(text))
