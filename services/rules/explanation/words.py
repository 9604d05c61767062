"""A decision in words, as plain text: what was decided, by which rules, line by line, and why not more."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from contracts.amounts import format_decimal, format_points
from services.rules.domain.programme import ProgrammeVersion, Text
from services.rules.explanation.document import document
from services.rules.explanation.languages import day, moment, number
from services.rules.explanation.phrases import PHRASES
from services.runtime.http.languages import Language

_UTC: Final = "UTC"
_MOMENT: Final = timedelta(microseconds=1)
_TAKEN_BACK: Final = ("return", "conflict", "self_referral")


@dataclass(frozen=True, slots=True)
class Told:
    """A decision as it is told: the columns of its row, and its record."""

    number: int
    kind: str
    cause_id: str
    occurred_at: datetime
    programme: str
    version: int | None
    reason: str | None
    record: Mapping[str, Any]


def in_words(decision: Told, version: ProgrammeVersion | None, language: Language) -> str:
    """The text, one sentence or item a line. `version` gives names and the zone; without it codes stand for names."""
    return "\n".join(_Speaker(decision, version, language).lines()) + "\n"


class _Speaker:
    def __init__(self, decision: Told, version: ProgrammeVersion | None, language: Language) -> None:
        self._decision = decision
        self._language = language
        self._phrases = PHRASES[language]
        self._zone = ZoneInfo(version.zone if version else _UTC)
        self._names = _Names(version, language)
        self._said = document(decision.record)

    def lines(self) -> Iterator[str]:
        """Everything there is to say."""
        yield from self._head()
        if self._decision.kind in _TAKEN_BACK:
            yield from self._taken_back()
        elif self._decision.version is not None:
            yield from self._earned()
            yield from self._how()
            yield from self._why_not()
        yield from self._tiers()

    def _say(self, phrase: str, **values: str | int) -> str:
        return self._phrases[phrase].format(**values)

    def _item(self, phrase: str, **values: str | int) -> str:
        return f"- {self._say(phrase, **values)}"

    def _head(self) -> Iterator[str]:
        decision = self._decision
        when = moment(decision.occurred_at, self._zone, self._language)
        yield self._say(decision.kind, cause=decision.cause_id, when=when)
        if decision.version is None:
            yield self._say("not_judged", programme=self._names.programme or decision.programme)
            return
        programme = self._names.programme or decision.programme
        yield self._say("judged", number=decision.number, version=decision.version, programme=programme)
        if decision.kind not in _TAKEN_BACK and self._names.has_tiers:
            tier = self._said.get("tier")
            yield self._say("tier", tier=self._names.tier(tier)) if tier else self._say("no_tier")

    def _earned(self) -> Iterator[str]:
        for paid in self._said.get("paid_with_points", ()):
            yield self._say("paid", **self._amount(paid))
        awards = [award for award in self._said.get("awards", ()) if float(award["points"])]
        asks = self._said.get("budgets", ())
        if not awards and not asks:
            yield self._say("earned_nothing")
        if self._decision.reason is not None:
            yield self._reason("reason", self._decision.reason)
        for award in awards:
            yield " ".join(self._award(award))
        for ask in asks:
            yield " ".join(self._asked(ask))

    def _award(self, award: Mapping[str, Any]) -> Iterator[str]:
        yield self._say("earned", **self._amount(award))
        if award["activates_at"] is not None:
            yield self._say("from", when=moment(_instant(award["activates_at"]), self._zone, self._language))
        if award["expires_at"] is None:
            yield self._say("never")
            return
        expires = _instant(award["expires_at"])
        if expires.astimezone(self._zone).time() == datetime.min.time():
            yield self._say("through", day=day(expires - _MOMENT, self._zone, self._language))
        else:
            yield self._say("until", when=moment(expires, self._zone, self._language))

    def _asked(self, ask: Mapping[str, Any]) -> Iterator[str]:
        """What the budget of a campaign granted."""
        names = {"rule": self._names.rule(ask["rule"]), "currency": self._names.currency(ask["currency"])}
        asked = number(ask["asked"], self._language)
        if ask["granted"] is None:
            yield self._say("budget_asked", asked=asked, **names)
            return
        if not float(ask["granted"]):
            yield self._say("budget_empty", asked=asked, **names)
            return
        yield from self._award({**ask, "points": ask["granted"]})
        if ask["granted"] != ask["asked"]:
            granted = number(ask["granted"], self._language)
            yield self._say("budget_part", asked=asked, granted=granted, **names)

    def _how(self) -> Iterator[str]:
        rules = self._said.get("rules", ())
        currencies = {
            rule["rule"]: award["currency"] for award in self._said.get("awards", ()) for rule in award["rules"]
        }
        if rules:
            yield self._say("how")
        for rule in rules:
            currency = self._names.currency(currencies.get(rule["rule"]))
            points = number(rule["points"], self._language)
            name = self._names.rule(rule["rule"])
            yield self._item("rule", rule=name, give=rule["give"], points=points, currency=currency)
        lines = self._said.get("lines", ())
        if lines and rules:
            yield self._say("by_line")
            yield from (self._line(line) for line in lines)
        yield from self._not_counted()
        for rounding in self._said.get("rounding", ()):
            if not _is_whole(rounding):
                yield self._rounding(rounding)

    def _not_counted(self) -> Iterator[str]:
        excluded = self._said.get("excluded_lines")
        if excluded:
            yield self._say("excluded", lines=", ".join(map(str, excluded)))
        not_counted = self._said.get("not_counted", {})
        for name, phrase in (("paid_with_points", "not_counted_points"), ("paid_otherwise", "not_counted_otherwise")):
            if name in not_counted:
                yield self._say(phrase, money=self._money(not_counted[name]))

    def _line(self, line: Mapping[str, Any]) -> str:
        counts = number(line["counts"], self._language)
        shares = [
            self._say("share", rule=self._names.rule(rule), points=number(points, self._language))
            for rule, points in line["points"].items()
        ]
        if not shares:
            return self._item("line_nothing", line=line["line"], counts=counts)
        return self._item("line", line=line["line"], counts=counts, shares=", ".join(shares))

    def _rounding(self, rounding: Mapping[str, Any]) -> str:
        where = "by_each_line" if rounding["round_by"] == "line" else "basket"
        return self._say(
            "rounding",
            exact=number(rounding["exact"], self._language),
            currency=self._names.currency(rounding["currency"]),
            how=self._phrases[rounding["rounding"]],
            where=self._phrases[where],
            points=number(rounding["points"], self._language),
        )

    def _why_not(self) -> Iterator[str]:
        losers = {lost["rule"] for lost in self._said.get("lost", ())}
        silent = [each for each in self._said.get("not_fired", ()) if each["rule"] not in losers]
        if silent or losers or self._said.get("failed"):
            yield self._say("not_fired")
        for each in silent:
            yield self._item("unfired", rule=self._names.rule(each["rule"]), reason=self._reason("why", each["reason"]))
        for lost in self._said.get("lost", ()):
            names = {"rule": self._names.rule(lost["rule"]), "to": self._names.rule(lost["to"])}
            on = ", ".join(map(str, lost["lines"]))
            yield self._item("lost", **names, lines=on) if on else self._item("lost_whole", **names)
        for failure in self._said.get("failed", ()):
            yield self._item("failed", rule=self._names.rule(failure["rule"]), message=failure["message"])
        if self._said.get("cuts"):
            yield self._say("caps")
        for cut in self._said.get("cuts", ()):
            said = {"reason": self._reason("why", cut["code"]), **self._amount(cut)}
            rule = cut.get("rule")
            yield self._item("cut_of_rule", rule=self._names.rule(rule), **said) if rule else self._item("cut", **said)

    def _taken_back(self) -> Iterator[str]:
        taken = self._said.get("taken_back", {})
        if not taken:
            yield self._say("taken_nothing")
        for phrase, said in (("taken", taken), ("given", self._said.get("given_back", {}))):
            for currency, points in said.items():
                yield self._say(phrase, **self._amount({"points": points, "currency": currency}))

    def _tiers(self) -> Iterator[str]:
        for change in self._said.get("tier_changes", ()):
            tier, reason = self._names.tier(change["tier"]), self._reason("why", change["reason"], change["cause"])
            if change["tier"] == change["previous"]:
                yield self._say("stays", tier=tier, reason=reason)
                continue
            since = day(_instant(change["from"]), self._zone, self._language)
            previous = self._names.tier(change["previous"])
            yield self._say("change", previous=previous, tier=tier, day=since, reason=reason)
        standing = self._said.get("standing")
        if standing is not None:
            yield from self._standing(standing)

    def _standing(self, standing: Mapping[str, Any]) -> Iterator[str]:
        if standing["tier"] is not None and standing["until"] is not None:
            until = day(_instant(standing["until"]), self._zone, self._language)
            yield self._say("kept", tier=self._names.tier(standing["tier"]), day=until)
        qualifying = self._counted(standing["qualifying"])
        if standing["next_tier"] is None:
            yield self._say("standing_top", qualifying=qualifying)
            return
        missing, following = self._counted(standing["missing"]), self._names.tier(standing["next_tier"])
        yield self._say("standing_next", qualifying=qualifying, missing=missing, next=following)

    def _counted(self, amount: int) -> str:
        if self._names.tiers_by == "visits":
            return str(amount)
        if self._names.tiers_by == "points":
            points = number(format_points(amount, self._names.tiers_scale), self._language)
            return f"{points} {self._names.currency(self._names.tiers_currency)}"
        return self._money(format_decimal(amount))

    def _money(self, text: str) -> str:
        return f"{number(text, self._language)} {self._names.money}".strip()

    def _amount(self, said: Mapping[str, Any]) -> dict[str, str]:
        points = number(said["points"], self._language)
        return {"points": points, "currency": self._names.currency(said["currency"])}

    def _reason(self, kind: str, code: str, cause: str = "") -> str:
        phrase = self._phrases.get(f"{kind}:{code}")
        return code if phrase is None else phrase.format(cause=cause)


class _Names:
    """What members call things: rules, levels, currencies; codes where the programme has no words for them."""

    def __init__(self, version: ProgrammeVersion | None, language: Language) -> None:
        self._language = language
        self._rules = {rule.key: rule.name for rule in version.rules} if version else {}
        levels: Sequence[Any] = version.tiers.levels if version and version.tiers else ()
        self._levels = {level.tier: level.name for level in levels}
        self._currencies = {each.key: each.many for each in version.currencies} if version else {}
        self.programme = self._worded(version.texts.name, "") if version else ""
        self.money = version.money if version else ""
        self.has_tiers = bool(levels)
        self.tiers_by = version.tiers.by if version and version.tiers else "spend"
        self.tiers_currency = version.tiers.currency if version and version.tiers else ""
        scales = {each.key: each.scale for each in version.currencies} if version else {}
        self.tiers_scale = scales.get(self.tiers_currency, 0)

    def rule(self, key: str) -> str:
        """A rule's name."""
        return self._worded(self._rules.get(key, {}), key)

    def tier(self, key: str | None) -> str:
        """A level's name."""
        if key is None:
            return PHRASES[self._language]["none"]
        return self._worded(self._levels.get(key, {}), key)

    def currency(self, key: str | None) -> str:
        """What points of a currency are called."""
        return self._worded(self._currencies.get(key or "", {}), key or "")

    def _worded(self, words: Text, otherwise: str) -> str:
        return words.get(self._language) or words.get("") or otherwise


def _is_whole(rounding: Mapping[str, Any]) -> bool:
    """Whether nothing was rounded."""
    exact = rounding["exact"]
    return not exact.endswith("…") and Decimal(exact) == Decimal(rounding["points"])


def _instant(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
