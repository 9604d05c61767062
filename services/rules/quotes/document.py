"""A quote as the API gives it: points and money as decimal strings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from contracts.amounts import format_decimal, format_points
from services.rules.domain.basket import BasketLine
from services.rules.domain.known_account import Balance, KnownAccount, Lot
from services.rules.domain.next_steps import Step
from services.rules.domain.programme import ProgrammeVersion
from services.rules.domain.quoting import Quote
from services.rules.domain.situation import Situation
from services.rules.domain.spendable import Asked, Purse, Spendable, asked, spendable
from services.rules.explanation.document import document
from services.rules.quotes.words import Speaker
from services.runtime.http.languages import Language

Plain = dict[str, Any]

EXPIRIES_MAX: Final = 10
"""Dates on which points lapse that a quote names."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the account: `lots` are those that lapse, or begin to count, up to `until`."""

    books: KnownAccount | None
    lots: Sequence[Lot]
    until: datetime


def said(quote: Quote, known: Known, language: Language) -> Plain:
    """Everything that the quote says of the basket and the account."""
    version, decision = quote.version, quote.decided.decision
    basket = quote.receipt.basket
    books = known.books
    answer: Plain = {
        "version": decision.programme_version,
        "quoted_for": basket.at,
        "account_version": books.version if books else 0,
        "account_status": books.status if books else None,
        "balances": {key: _balance(balance) for key, balance in books.balances.items()} if books else {},
        "pays": format_decimal(basket.total),
    }
    if version is None:
        return answer | {"code": decision.reason}
    speaker = Speaker(version, language)
    purse = Purse(books, known.lots, basket.at)
    spending = spendable(version, quote.redeemable, quote.facts, purse)
    payments = asked(version, spending, quote.receipt.points_payments, purse) if spending else ()
    explanation = document(decision.facts)
    steps = [_step(each, speaker) for each in quote.steps]
    answer |= {
        "code": decision.reason,
        "tier": _tier(quote, speaker),
        "discount": format_decimal(sum(discount.amount for discount in quote.discounts)),
        "discounts": [
            {
                "rule": discount.rule,
                "name": speaker.rule(discount.rule),
                "amount": format_decimal(discount.amount),
                "lines": [{"line": line, "amount": format_decimal(money)} for line, money in discount.lines],
            }
            for discount in quote.discounts
        ],
        "lines": _lines(quote, version),
        "earns": explanation.get("awards", []),
        "redemption": _redemption(version, spending, payments) if spending else None,
        "expiring": _expiring(known, version, basket.at),
        "next_steps": steps,
        "explanation": explanation,
    }
    return answer | _texts(quote, version, speaker, answer, steps)


def _lines(quote: Quote, version: ProgrammeVersion) -> list[Plain]:
    earned: dict[int, dict[str, int]] = {}
    awards: Any = quote.decided.decision.facts.get("awards", ())
    for award in awards:
        for line, points in award.get("lines", ()):
            shares = earned.setdefault(line, {})
            shares[award["currency"]] = shares.get(award["currency"], 0) + points
    return [_line(line, earned.get(line.line, {}), quote, version) for line in quote.receipt.basket.lines]


def _line(line: BasketLine, earned: Mapping[str, int], quote: Quote, version: ProgrammeVersion) -> Plain:
    off = sum(money for discount in quote.discounts for number, money in discount.lines if number == line.line)
    return {
        "line": line.line,
        "amount": format_decimal(line.amount),
        "discount": format_decimal(off),
        "earns": {key: format_points(points, version.currency(key).scale) for key, points in earned.items()},
    }


def _tier(quote: Quote, speaker: Speaker) -> Plain:
    """The level by which the basket is priced, and where the member would stand after it."""
    standing = quote.decided.decision.facts.get("standing")
    tier = quote.facts.tier
    return {"tier": tier, "name": speaker.tier(tier) or None, "after": standing}


def _redemption(version: ProgrammeVersion, found: Spendable, payments: Sequence[Asked]) -> Plain:
    terms = found.terms
    currency = version.currency(terms.currency)

    def points(number: int | None) -> str | None:
        return None if number is None else format_points(number, currency.scale)

    return {
        "currency": currency.key,
        "bill": format_decimal(found.allowed.bill),
        "redeemable": format_decimal(found.allowed.redeemable),
        "allowed": points(found.allowed.most),
        "available": points(found.available),
        "most": points(found.most),
        "worth": format_decimal(found.most * currency.worth // int(10**currency.scale)),
        "code": found.code,
        "step": points(terms.step),
        "at_least": points(terms.at_least),
        "confirm_above": points(terms.confirm_above),
        "payments": [{"points": points(each.points), "code": each.code} for each in payments],
    }


def _expiring(known: Known, version: ProgrammeVersion, at: datetime) -> list[Plain]:
    """What lapses when, the soonest first; what is on hold does not lapse."""
    sums: dict[tuple[datetime, str], int] = {}
    for lot in known.lots:
        points = lot.available + lot.pending
        if lot.expires_at is not None and at < lot.expires_at <= known.until and points:
            place = (lot.expires_at, lot.currency)
            sums[place] = sums.get(place, 0) + points
    scales = {currency.key: currency.scale for currency in version.currencies}
    return [
        {"currency": key, "points": format_points(points, scales.get(key, 0)), "expires_at": expires_at}
        for (expires_at, key), points in sorted(sums.items())[:EXPIRIES_MAX]
    ]


def _step(step: Step, speaker: Speaker) -> Plain:
    found: Plain = {"kind": step.kind, "money": None if step.money is None else format_decimal(step.money)}
    if step.kind == "tier":
        found |= {"tier": step.tier, "name": speaker.tier(step.tier)}
    else:
        found |= {"rule": step.rule, "currency": step.currency, "points": speaker.points(step.points, step.currency)}
    return found | {"text": speaker.step(step)}


def _texts(
    quote: Quote, version: ProgrammeVersion, speaker: Speaker, answer: Mapping[str, Any], steps: Sequence[Plain]
) -> Plain:
    """The programme's texts for the cashier and the slip; empty where it has none."""
    redemption = answer["redemption"] or {}
    first = version.currencies[0].key
    earned: Any = quote.decided.decision.facts.get("awards", ())
    of_quote = {
        "quote.pays": answer["pays"],
        "quote.discount": answer["discount"],
        "quote.earned": speaker.points(sum(each["points"] for each in earned if each["currency"] == first), first),
        "quote.redeemable": redemption.get("most") or "0",
        "quote.available": redemption.get("available") or "0",
        "quote.next_step": steps[0]["text"] if steps else "",
    }
    situation = Situation.of(version, quote.receipt.basket, quote.facts)
    return {
        "cashier": speaker.filled(version.texts.cashier, situation, of_quote),
        "slip": speaker.filled(version.texts.slip, situation, of_quote),
    }


def _balance(balance: Balance) -> Plain:
    return {
        name: format_points(getattr(balance, name), balance.scale) for name in ("pending", "available", "held", "debt")
    }
