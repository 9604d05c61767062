"""Reversals: what a return takes back, by evaluating what is left of the basket as the purchase was judged."""

from collections.abc import Mapping

from services.rules.domain.outcome import Evaluation


def reversal_due(original: int, remaining: int, already_reversed: int) -> int:
    """Points to take back now, when `remaining` is what the rest of the basket would have earned.

    Never negative, and with what was reversed before never more than was awarded: a rest that would earn more than the
    whole (a cheaper line gone, a better rule left) takes nothing, and gives nothing either.
    """
    due = min(original, max(original - remaining, 0)) - already_reversed
    return max(due, 0)


def reversals_due(original: Evaluation, remaining: Evaluation, already_reversed: Mapping[str, int]) -> dict[str, int]:
    """The same for each currency of the awards at once; currencies with nothing to take back are left out.

    What a budget granted, and what others received, is reversed award by award with `reversal_due`.
    """
    currencies = dict.fromkeys(award.currency for award in original.awards)
    found = {
        currency: reversal_due(original.points(currency), remaining.points(currency), already_reversed.get(currency, 0))
        for currency in currencies
    }
    return {currency: points for currency, points in found.items() if points}
