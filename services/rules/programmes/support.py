"""What the language can say and this release does not do yet: it is not published, so that nobody waits in vain."""

from typing import Final

from services.rules.domain.programme import BIRTHDAY, ENROLMENT, PURCHASE, ProgrammeVersion, Rule

NOT_YET: Final = "not_supported_yet"
REFERRER: Final = "member.referred_by"


def unsupported(version: ProgrammeVersion) -> list[str]:
    """Everything in a version that would never happen."""
    found = [f"rule {rule.key}: {message}" for rule in version.rules for message in _of(rule)]
    if version.tiers is not None and version.tiers.of == "member":
        found.append("tiers: `of: member` is not done yet: a household or company has one level; write `of: account`")
    return found


def _of(rule: Rule) -> list[str]:
    found = []
    if rule.event not in (PURCHASE, ENROLMENT, BIRTHDAY) and not rule.event.startswith("activity."):
        found.append(f"`event: {rule.event}` is not done yet; say it of a purchase, an activity or the enrolment")
    if rule.to and rule.to != REFERRER:
        found.append(f"`to: {rule.to}` does not reach others yet; give it to the buyer, or write `to: {REFERRER}`")
    if rule.to and rule.budget is not None:
        found.append("`budget:` of a rule with `to:` is not kept yet; bound it by `cap: {campaign: …}` or `once_per:`")
    return found
