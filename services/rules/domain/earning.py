"""Earning: which rules give what on which lines, before anything is rounded."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.rules.domain.answers import Answers
from services.rules.domain.caps import cut_by_own_caps
from services.rules.domain.gifts import CountedLines, Gift, gift_of
from services.rules.domain.outcome import Cut
from services.rules.domain.plan import MULTIPLIER, RulePlan, Slice
from services.rules.domain.stacking import Claim, Lost, best, multiply, stopped


@dataclass(slots=True)
class Earned:
    """Gifts that give something; `not_fired` has the other rules by reason, in the order of the file."""

    gifts: list[Gift] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    not_fired: dict[str, list[str]] = field(default_factory=dict)
    stopped_by: dict[str, str] = field(default_factory=dict)

    def refuse(self, rule: str, reason: str) -> None:
        """Note why a rule gives nothing."""
        self.not_fired.setdefault(reason, []).append(rule)


def earned(running: Slice, counted: CountedLines, answers: Answers) -> Earned:
    """What the rules that run now give on the lines that count."""
    found = Earned()
    if running.not_running:
        found.not_fired["not_in_window"] = list(running.not_running)
    lines = len(counted.lines)
    claims, silenced = stopped(_claims(running, answers, found), lines)
    for rule, keeper in silenced:
        found.refuse(rule, "stopped")
        found.stopped_by[rule] = keeper
    tier = answers.situation.facts.tier
    gifts = [gift_of(claim.plan, tier, counted, claim.on) for claim in claims]
    simple = [gift for gift in gifts if gift.plan.kind != MULTIPLIER]
    multipliers = [gift for gift in gifts if gift.plan.kind == MULTIPLIER]
    found.lost = best(simple)
    found.cuts = cut_by_own_caps(simple, answers.situation)
    multiply(multipliers, simple, lines)
    found.lost += best(multipliers)
    found.cuts += cut_by_own_caps(multipliers, answers.situation)
    losers = {lost.loser for lost in found.lost}
    for gift in gifts:
        if any(gift.amounts):
            found.gifts.append(gift)
        else:
            found.refuse(gift.key, "lost" if gift.key in losers else "nothing_to_give")
    return found


def _claims(running: Slice, answers: Answers, found: Earned) -> list[Claim]:
    claims = []
    everything = range(len(answers.lines))
    for plan in running.running:
        reason = None
        for check in plan.checks:
            reason = check(answers)
            if reason:
                break
        if reason is None:
            on = _lines(plan, answers, everything)
            if on:
                claims.append(Claim(plan, on))
                continue
            reason = "no_lines" if on is not None else "condition_failed"
        found.refuse(plan.rule.key, reason)
    return claims


def _lines(plan: RulePlan, answers: Answers, everything: range) -> Sequence[int] | None:
    """The lines that a rule is for; None if its condition could not be told on one of them."""
    rule = plan.rule
    on: Sequence[int] = everything
    if rule.lines is not None:
        on, failed = answers.on_lines(rule.lines, rule.key)
        if failed:
            return None
    if rule.partner is not None:
        on = [index for index in on if answers.lines[index].partner == rule.partner]
    return on
