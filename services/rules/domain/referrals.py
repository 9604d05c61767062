"""What a member has by somebody else's purchase: a referrer's thanks, within the caps of the one who receives.

The purchase is judged in its own account; here is only what the recipient may still have. When goods come back there,
what the rest of the basket would not have brought is taken back here.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from contracts.ids import command_of
from services.rules.domain.basket import Occasion
from services.rules.domain.commands import Accrue, Cause, Reverse
from services.rules.domain.evaluation import Evaluation
from services.rules.domain.facts import Facts
from services.rules.domain.moments import zone_of
from services.rules.domain.occasions import Doing
from services.rules.domain.outcome import Award
from services.rules.domain.participant import Background, Decided, Decision, Participant, counters_with
from services.rules.domain.programme import ProgrammeVersion, Rule
from services.rules.domain.purchases import NO_VERSION, Judged, accruals
from services.rules.domain.received import Received, received
from services.rules.domain.records import record_of
from services.rules.domain.returns import REFERRAL
from services.rules.domain.sums import NOTHING

SELF_REFERRAL: Final = "self_referral"


@dataclass(frozen=True, slots=True)
class Receiving:
    """An award by somebody else's purchase of `at`. `version` is the one that judged it, `key` the award's own.

    `giver_decision_id` is the decision on that purchase; None in messages of before it was told.
    """

    decision_id: UUID
    member_id: UUID
    key: UUID
    at: datetime
    giver_account_id: UUID
    version: int
    rule: str
    award: Award
    giver_decision_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Lessening:
    """Goods came back: the award `of` (a decision of this account) is worth `points` now, before caps."""

    decision_id: UUID
    key: UUID
    at: datetime
    of: UUID
    points: int


class Had(NamedTuple):
    """An award that was received: what it brought, and what was taken back since."""

    member_id: UUID
    version: int | None
    currency: str
    scale: int
    points: int
    taken: int


def receive(participant: Participant, receiving: Receiving, background: Background) -> Decided:
    """Decide on an award by somebody else's purchase. Nothing is given: `self_referral`, or the caps are used up."""
    version = background.programme.version(receiving.version)
    rule = next((each for each in version.rules if each.key == receiving.rule), None) if version else None
    if version is None or rule is None:
        return _decided(participant, receiving, None, _nothing(NO_VERSION))
    if receiving.giver_account_id == participant.account_id:
        return _decided(participant, receiving, version, _nothing(SELF_REFERRAL))
    found = received(version, rule, receiving.award, _facts(participant, receiving, version), receiving.at)
    return _decided(participant, receiving, version, _evaluation(found, rule))


def lessen(participant: Participant, lessening: Lessening, had: Had, background: Background) -> Decided:
    """Decide on what goods that came back elsewhere take back here; never more than was had."""
    version = background.programme.version(had.version) if had.version is not None else None
    due = max(had.points - min(lessening.points, had.points) - had.taken, 0)
    participant = replace(participant, decisions=participant.decisions + 1)
    cause = Cause("return", str(lessening.key))
    commands: tuple[Reverse, ...] = ()
    if due and version is not None:
        commands = (
            Reverse(
                command_of("reverse", lessening.decision_id, had.currency), lessening.at, lessening.decision_id,
                command_of("accrue", lessening.of), cause, had.currency, due, version.returns.spent, standing=None,
            ),
        )  # fmt: skip
    record = {"scales": {had.currency: had.scale}} | ({"taken": {had.currency: due}} if due else {})
    decision = Decision(
        lessening.decision_id, had.member_id, participant.decisions, "return", lessening.key, str(lessening.key),
        lessening.at, lessening.at, had.version, None, NOTHING, record, (), lessening.of,
    )  # fmt: skip
    return Decided(participant, decision, commands)


def _facts(participant: Participant, receiving: Receiving, version: ProgrammeVersion) -> Facts:
    """All that is asked of the one who receives: how much it had already."""
    day = receiving.at.astimezone(zone_of(version.zone)).date()
    return Facts(member_id=str(receiving.member_id), counters=participant.counters_of(day))


def _nothing(reason: str) -> Evaluation:
    return Evaluation((), 0, {}, {"reason": reason}, reason=reason)


def _evaluation(found: Received, rule: Rule) -> Evaluation:
    awards = (found.award,) if found.award else ()
    gives = " / ".join(give.text for give in rule.gives)
    said: dict[str, object] = {
        "rules": [{"rule": rule.key, "give": gives, "points": award.points} for award in awards],
    }
    cuts = (found.cut,) if found.cut else ()
    if cuts:
        said["cuts"] = [
            {"code": cut.code, "currency": cut.currency, "points": cut.points, "rule": rule.key} for cut in cuts
        ]
    reason = found.cut.code if found.cut and not awards else None
    return Evaluation(awards, 0, found.increments, {k: v for k, v in said.items() if v}, cuts=cuts, reason=reason)


def _decided(
    participant: Participant, receiving: Receiving, version: ProgrammeVersion | None, evaluation: Evaluation
) -> Decided:
    at, cause_id = receiving.at, str(receiving.key)
    # The friend's purchase is nobody's business here: the award has an id of its own.
    doing = Doing(receiving.decision_id, receiving.member_id, receiving.key, cause_id, Occasion(REFERRAL, at))
    facts = _facts(participant, receiving, version) if version else None
    participant = replace(
        participant,
        decisions=participant.decisions + 1,
        counters=counters_with(participant.counters, evaluation.increments),
    )
    accrued: tuple[Accrue, ...] = ()
    if version is not None and facts is not None:
        judged = Judged(facts, evaluation, (), standing=None)
        accrued = accruals(receiving.decision_id, at, Cause(REFERRAL, cause_id), version, judged)
    decision = Decision(
        receiving.decision_id, receiving.member_id, participant.decisions, "referral", receiving.key, cause_id, at, at,
        version.version if version else None, evaluation.reason, NOTHING, record_of(None, evaluation, (), (), None),
        (doing, facts),
    )  # fmt: skip
    return Decided(participant, decision, accrued)
