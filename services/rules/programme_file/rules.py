"""Earning rules of a programme file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final, cast
from zoneinfo import ZoneInfo

from services.rules.domain.programme import (
    BIRTHDAY,
    ENROLMENT,
    PURCHASE,
    Audience,
    Base,
    BirthdayWindow,
    Budget,
    Condition,
    Give,
    Rule,
)
from services.rules.domain.situation import SITUATION_FACTS
from services.rules.programme_file import scalars
from services.rules.programme_file.cel import Compiler
from services.rules.programme_file.currencies import Currencies, expiry_of, term_of
from services.rules.programme_file.errors import ProgrammeError, nearest
from services.rules.programme_file.expression_facts import Stage
from services.rules.programme_file.fields import Faults, Fields, part_of
from services.rules.programme_file.nodes import Mapping as MappingNode
from services.rules.programme_file.nodes import Node, Place, Scalar
from services.rules.programme_file.parts import CapTerms, caps_of, codes_of

MAX_RULES: Final = 500
WELCOME: Final = "on_enrolment"
_EVERY_TIME: Final = "purchase"
_ONCE: Final = ("member", "birthday")
_LONGEST_BIRTHDAY_DAYS: Final = 364
_NOT_FOR_DISCOUNTS: Final = (
    "cap", "once_per", "budget", "to", "base", "counts_points_paid", "activates", "expires",
)  # fmt: skip
_NOT_FOR_OCCASIONS: Final = ("lines", "best_of", "birthday", "base", "counts_points_paid")


@dataclass(frozen=True, slots=True)
class Written:
    """A rule with the node of the file that says it, so that later checks can point there."""

    rule: Rule
    node: Node

    def place(self, word: str) -> Place:
        """Where a word of the rule stands; where the rule begins if it does not say it."""
        said = self.node.entries.get(word) if isinstance(self.node, MappingNode) else None
        return said.place if said else self.node.place


@dataclass(slots=True)
class RuleReader:
    """Reads rules one by one; `tiers`, `segments` and the programme's defaults are what they may refer to."""

    programme: Fields
    currencies: Currencies
    compiler: Compiler
    zone: ZoneInfo
    tiers: tuple[str, ...]
    segments: tuple[str, ...]
    base: Base
    counts_points_paid: bool
    written: list[Written] = field(default_factory=list)
    keys: dict[str, Written] = field(default_factory=dict)

    @property
    def faults(self) -> Faults:
        """Where faults are noted."""
        return self.programme.faults

    def rules(self) -> tuple[Rule, ...]:
        """The welcome, the partners' own rates, and the rules, in this order."""
        self._welcome()
        for key, node in self.programme.entries("partners"):
            fields = part_of(node, "partner", Faults())
            if fields is not None and fields.has("give"):
                self._partner(key, fields)
        nodes = self.programme.items("earn")
        if len(nodes) > MAX_RULES:
            self.faults.add(self.programme.place("earn"), "too_long", f"a programme has at most {MAX_RULES} rules")
        for node in nodes[:MAX_RULES]:
            fields = part_of(node, "rule", self.faults)
            if fields is not None:
                self._rule(fields)
        return tuple([written.rule for written in self.written])

    def condition(self, node: Node | None, stage: Stage) -> Condition | None:
        """The condition that stands there; None if there is none, or none that can be understood."""
        if node is None:
            return None
        if not isinstance(node, Scalar):
            self.faults.add(node.place, "not_a_text", "a condition in quotes is expected here")
            return None
        found = self.compiler.condition(node, stage)
        if isinstance(found, ProgrammeError):
            self.faults.found.append(found)
            return None
        return found

    def _welcome(self) -> None:
        node = self.programme.get("on_enrolment")
        if node is None:
            return
        terms = part_of(node, "welcome", self.faults) if isinstance(node, MappingNode) else None
        said = terms.get("give") if terms else node
        give = self.currencies.give(said) if said else None
        if said is None or give is None:
            return
        self._fixed_only(give, said.place)
        rule = Rule(key=WELCOME, give=give, event=ENROLMENT, once_per="member")
        if terms is not None:
            activates, expires = term_of(terms, "activates"), expiry_of(terms, "expires")[1]
            rule = replace(rule, activates=activates, expires=expires, name=terms.words("name"))
        self._keep(rule, node)

    def _partner(self, key: str, fields: Fields) -> None:
        give = self.currencies.give(fields.node.entries["give"])
        if give is not None:
            rule = Rule(
                key=f"partner-{key}",
                give=give,
                partner=key,
                base=self.base,
                counts_points_paid=self.counts_points_paid,
            )
            self._keep(rule, fields.node)

    def _rule(self, fields: Fields) -> None:
        key, event = fields.code("rule"), fields.text("event")
        give, by_tier = self._gives(fields)
        first = give or next(iter(by_tier.values()), None)
        if not key or first is None:
            # Its conditions are read all the same, so that their faults are seen in the same go.
            self._conditions(fields, event)
            return
        self._event(fields, event, first)
        self._discount(fields, first)
        when, lines = self._conditions(fields, event)
        starts_at = fields.read("from", lambda text: scalars.beginning(text, self.zone))
        ends_at = fields.read("until", lambda text: scalars.ending(text, self.zone))
        if starts_at is not None and ends_at is not None and starts_at >= ends_at:
            self.faults.add(fields.place("until"), "overlaps", "this ends before it begins", "put until after from")
        birthday = self._birthday(fields)
        rule = Rule(
            key=key,
            give=give,
            by_tier=by_tier,
            event=event,
            when=when,
            lines=lines,
            best_of=fields.code("best_of") or None,
            priority=fields.whole("priority"),
            stop=fields.yes("stop"),
            starts_at=starts_at.astimezone(self.zone) if starts_at else None,
            ends_at=ends_at.astimezone(self.zone) if ends_at else None,
            caps=caps_of(fields.part_of("cap", "caps"), self.currencies, CapTerms(first.currency)),
            once_per=self._once_per(fields, event, birthday, first),
            birthday=birthday,
            budget=self._budget(fields, first),
            card_categories=codes_of(fields, "card_categories"),
            audience=self._audience(fields),
            to=fields.choice("to") if fields.has("to") else "",
            base=cast("Base", fields.choice("base")) if fields.has("base") else self.base,
            counts_points_paid=fields.yes("counts_points_paid")
            if fields.has("counts_points_paid")
            else self.counts_points_paid,
            activates=term_of(fields, "activates"),
            expires=expiry_of(fields, "expires")[1],
            name=fields.words("name"),
            terms=fields.words("terms"),
        )
        self._keep(rule, fields.node)

    def _keep(self, rule: Rule, node: Node) -> None:
        written = Written(rule, node)
        before = self.keys.setdefault(rule.key, written)
        if before is not written:
            message = f"the programme overlaps itself: there is a rule `{rule.key}` on line {before.node.place.line}"
            self.faults.add(written.place("rule"), "overlaps", message, f"call it {rule.key}-2")
            return
        self.written.append(written)

    def _gives(self, fields: Fields) -> tuple[Give | None, Mapping[str, Give]]:
        """One give, or one for each tier; all of one kind and currency."""
        node = fields.get("give")
        if node is None:
            return None, {}
        if not isinstance(node, MappingNode):
            return self.currencies.give(node), {}
        found: dict[str, Give] = {}
        for tier, value in node.entries.items():
            if tier not in self.tiers:
                suggestion = nearest(tier, self.tiers) or "name it under tiers: levels:"
                self.faults.add(node.keys[tier], "unknown_tier", f"there is no tier `{tier}`", suggestion)
            give = self.currencies.give(value)
            if give is not None:
                found[tier] = give
        if len({(give.kind, give.currency) for give in found.values()}) > 1:
            message = "tiers are given the same kind of thing in one rule"
            self.faults.add(node.place, "mixed", message, "write a rule for each kind")
        return None, found

    def _event(self, fields: Fields, event: str, give: Give) -> None:
        if event == PURCHASE:
            return
        if event not in {ENROLMENT, BIRTHDAY} and not (event.startswith("activity.") and event != "activity."):
            known = (PURCHASE, ENROLMENT, BIRTHDAY, "activity.NAME")
            suggestion = nearest(event, known) or f"known: {', '.join(known)}"
            self.faults.add(fields.place("event"), "unknown_event", f"there is no event `{event}`", suggestion)
        self._fixed_only(give, fields.place("give"))
        for word in _NOT_FOR_OCCASIONS:
            if fields.has(word):
                message = f"`{word}` is about purchases, and this is about {event}"
                self.faults.add(fields.place(word), "no_meaning", message, "leave it out")

    def _discount(self, fields: Fields, give: Give) -> None:
        """A quote changes nothing, and a purchase has its discounts in its amounts: nothing of them can be counted."""
        for word in _NOT_FOR_DISCOUNTS if give.kind == "percent_off" else ():
            if fields.has(word):
                message = f"`{word}` is about points, and this is a discount"
                self.faults.add(fields.place(word), "no_meaning", message, "leave it out")

    def _fixed_only(self, give: Give, place: Place) -> None:
        if give.kind != "fixed":
            self.faults.add(
                place, "no_meaning", f"`{give.text}` needs a purchase", "write a number, such as 100 points"
            )

    def _conditions(self, fields: Fields, event: str) -> tuple[Condition | None, Condition | None]:
        stage: Stage = "situation" if event == PURCHASE else "occasion"
        return self.condition(fields.get("when"), stage), self.condition(fields.get("lines"), "line")

    def _birthday(self, fields: Fields) -> BirthdayWindow | None:
        part = fields.part_of("birthday", "birthday")
        if part is None:
            return None
        found = BirthdayWindow(part.days("before"), part.days("after"), part.days("on_file"))
        if found.before + found.after > _LONGEST_BIRTHDAY_DAYS:
            message = "this window is longer than a year, so it overlaps itself"
            self.faults.add(part.node.place, "overlaps", message, "write fewer days before and after")
        return found

    def _once_per(self, fields: Fields, event: str, birthday: BirthdayWindow | None, give: Give) -> str | None:
        """What the rule gives once for; a whole amount around a birthday is given once unless the file differs."""
        if not fields.has("once_per"):
            if event == BIRTHDAY or (birthday is not None and give.kind == "fixed"):
                return "birthday"
            return "member" if event == ENROLMENT else None
        word = fields.text("once_per")
        if word == _EVERY_TIME:
            return None
        known = [
            *_ONCE,
            _EVERY_TIME,
            *(name for name, (kind, _) in SITUATION_FACTS.items() if kind in {"text", "whole"}),
        ]
        if word not in known:
            suggestion = nearest(word, known) or "write member, birthday, or a fact such as activity.product"
            self.faults.add(fields.place("once_per"), "unknown_fact", f"there is no `{word}`", suggestion)
        if word == "birthday" and birthday is None and event != BIRTHDAY:
            message = "once per birthday needs a birthday"
            self.faults.add(
                fields.place("once_per"), "missing", message, "write birthday: {before: 3 days, after: 3 days}"
            )
        return word

    def _budget(self, fields: Fields, give: Give) -> Budget | None:
        part = fields.part_of("budget", "budget")
        points = self.currencies.points(part.get("total")) if part else None
        if part is None or points is None:
            return None
        if points.currency != give.currency:
            message = f"this rule gives `{give.currency}`"
            self.faults.add(part.place("total"), "wrong_currency", message, f"write the budget in {give.currency}")
        last = part.choice("last")
        return Budget(points.value, points.currency, "partial" if last == "partial" else "all_or_nothing")

    def _audience(self, fields: Fields) -> Audience:
        holdout = fields.read("holdout", scalars.percent) or Fraction(0)
        if holdout >= 1:
            self.faults.add(fields.place("holdout"), "out_of_bounds", "this keeps everybody out", "write 10 %")
        node = fields.get("audience")
        if isinstance(node, MappingNode):
            part = part_of(node, "audience", self.faults)
            segments, members = (part.codes("segments"), part.codes("members")) if part else ((), ())
        else:
            segments, members = fields.codes("audience"), ()
        for segment in segments:
            # Segments may also be set from outside, so only a word that is almost one of the file's own is a slip.
            suggestion = nearest(segment, self.segments)
            if suggestion and segment not in self.segments:
                self.faults.add(
                    fields.place("audience"), "unknown_segment", f"there is no segment `{segment}`", suggestion
                )
        return Audience(segments, frozenset(members), holdout)
