"""What a decision leaves behind as plain data: enough to explain it in words, and to price a return of it later.

Instants are ISO 8601 in UTC; points are in the smallest unit of their currency; money in ten-thousandths. Fields that
would be empty are left out. The shape is part of `GET /v1/decisions/{id}`; fields are only ever added.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from services.rules.domain.commands import AddressAward, AskBudget, Redeem, Standing
from services.rules.domain.outcome import Award, Evaluation
from services.rules.domain.standing import Change

Record = dict[str, Any]


def record_of(
    tier: str | None,
    evaluation: Evaluation,
    commands: Sequence[Redeem | AskBudget | AddressAward],
    changes: Sequence[Change],
    standing: Standing | None,
) -> Record:
    """The record of something that was evaluated; `tier` is the one by which it was priced.

    Of `commands` it keeps what was paid with points, what was asked of budgets, and what goes to others.
    """
    redeemed = [command for command in commands if isinstance(command, Redeem)]
    asked = [command for command in commands if isinstance(command, AskBudget)]
    others = [command for command in commands if isinstance(command, AddressAward)]
    record: Record = {"tier": tier, "evaluation": evaluation.explanation}
    if evaluation.awards:
        record["awards"] = [award_data(award) for award in evaluation.awards]
    if evaluation.increments:
        record["counted"] = dict(evaluation.increments)
    if redeemed:
        record["paid"] = [paid_data(command) for command in redeemed]
    if asked:
        record["asks"] = [ask_data(command) for command in asked]
    if others:
        record["others"] = [other_data(command) for command in others]
    return record | tiers_data(changes, standing)


def tiers_data(changes: Sequence[Change], standing: Standing | None) -> Record:
    """What became of the tier, and where the participant stands."""
    record: Record = {}
    if changes:
        record["changes"] = [change_data(change) for change in changes]
    if standing is not None:
        record["standing"] = standing_data(standing)
    return record


def award_data(award: Award) -> Record:
    """An award: what, how much, from when to when."""
    data: Record = {"currency": award.currency, "scale": award.scale, "points": award.points, "rules": award.rules}
    if award.lines:
        data["lines"] = award.lines
    if award.activates_at is not None:
        data["activates_at"] = award.activates_at
    if award.expires_at is not None:
        data["expires_at"] = award.expires_at
    if award.partner:
        data["partner"] = award.partner
    return data


def paid_data(command: Redeem) -> Record:
    """Points that the purchase was paid with."""
    data: Record = {
        "command_id": command.command_id,
        "currency": command.currency,
        "scale": command.scale,
        "points": command.points,
    }
    if command.hold_id is not None:
        data["hold_id"] = command.hold_id
    if command.redemption_id is not None:
        data["redemption_id"] = command.redemption_id
    return data


def ask_data(command: AskBudget) -> Record:
    """What was asked of a budget; what it granted is not known yet, and stands beside the decision."""
    return {"ask_id": command.command_id, "rule": command.rule, "campaign": command.campaign} | award_data(
        command.award
    )


def other_data(command: AddressAward) -> Record:
    """What goes to somebody else; who that is stays with the inputs, which are personal."""
    return {"award_key": command.award_key, "rule": command.rule} | award_data(command.award)


def change_data(change: Change) -> Record:
    """A change of tier."""
    period = change.period
    return {
        "tier": period.tier,
        "previous": change.previous,
        "from": period.effective_at,
        "since": period.since,
        "until": period.until,
        "reason": period.reason,
        "cause": period.cause,
        "qualifying": period.qualifying,
    }


def standing_data(standing: Standing) -> Record:
    """Where the participant stands after the decision."""
    return {
        "tier": standing.tier,
        "since": standing.since,
        "until": standing.until,
        "qualifying": standing.qualifying,
        "next_tier": standing.next_tier,
        "missing": standing.missing,
    }


def awarded_in(record: Mapping[str, Any]) -> dict[str, int]:
    """What a record says was awarded, by currency."""
    awarded: dict[str, int] = {}
    for award in record.get("awards", ()):
        awarded[award["currency"]] = awarded.get(award["currency"], 0) + award["points"]
    return awarded
