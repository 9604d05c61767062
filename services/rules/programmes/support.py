"""What the language can say and this release does not do yet: it is not published, so that nobody waits in vain."""

from typing import Final

from services.rules.domain.programme import BIRTHDAY, ENROLMENT, PURCHASE, ProgrammeVersion, Rule

NOT_YET: Final = "not_supported_yet"


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
    if rule.to:
        found.append("`to:` does not reach others yet; leave it out for now")
    return found
