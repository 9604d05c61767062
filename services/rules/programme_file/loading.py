"""A programme's text, read whole: a version ready to be evaluated, or everything that is wrong with it."""

import re
from functools import cache
from hashlib import sha256
from typing import Final, cast
from zoneinfo import ZoneInfo, available_timezones

from services.rules.domain.programme import Base, ProgrammeVersion, Segment, Texts
from services.rules.domain.situation import PURCHASES_IN, QUOTE_FACTS, SITUATION_FACTS, SPEND_IN
from services.rules.programme_file.bounds import bounds_of, lapses_of
from services.rules.programme_file.cel import Compiler
from services.rules.programme_file.currencies import currencies_of
from services.rules.programme_file.errors import InvalidProgrammeError, ProgrammeError, nearest
from services.rules.programme_file.fields import Faults, Fields
from services.rules.programme_file.nodes import Mapping, Place, parsed
from services.rules.programme_file.parts import (
    CapTerms,
    caps_of,
    codes_of,
    members_of,
    partners_of,
    redeem_of,
    returns_of,
    tier_names,
    tiers_of,
    transfers_of,
)
from services.rules.programme_file.rules import RuleReader
from services.rules.programme_file.scalars import NotUnderstoodError

_MONEY: Final = re.compile(r"[A-Z]{3}")
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
TEXT_FACTS: Final = frozenset({*SITUATION_FACTS, *QUOTE_FACTS})
"""What texts for the cashier and the slip may show."""
_UNKNOWN_ZONE: Final = "Etc/UTC"


def load(text: str) -> ProgrammeVersion | list[ProgrammeError]:
    """The draft that a file says, with `version` 0; or its faults, in the order of the file."""
    try:
        root = parsed(text)
    except InvalidProgrammeError as error:
        return list(error.errors)
    faults = Faults()
    version = _version(Fields(root, "programme", faults), sha256(text.encode()).hexdigest())
    return version if version is not None and not faults.found else sorted(set(faults.found))


def compile_programme(text: str) -> ProgrammeVersion:
    """The same for a text that was published, which has no faults; InvalidProgrammeError if it has."""
    found = load(text)
    if isinstance(found, ProgrammeVersion):
        return found
    raise InvalidProgrammeError(found)


def _version(programme: Fields, content_hash: str) -> ProgrammeVersion | None:
    faults = programme.faults
    zone = ZoneInfo(programme.read("zone", _zone) or _UNKNOWN_ZONE)
    currencies = currencies_of(programme)
    tiers = tier_names(programme)
    segments = tuple([key for key, _ in programme.entries("segments")])
    compiler = Compiler(tiers)
    base, counts_points_paid = cast("Base", programme.choice("base")), programme.yes("counts_points_paid")
    reader = RuleReader(programme, currencies, compiler, zone, tiers, segments, base, counts_points_paid)
    exclude = programme.part_of("exclude", "exclude")
    rules = reader.rules()
    caps = caps_of(programme.part_of("caps", "caps"), currencies, CapTerms(of_rule=False))
    version = ProgrammeVersion(
        key=programme.code("programme"),
        zone=zone.key,
        money=programme.read("money", _money) or "",
        currencies=tuple(currencies.by_key.values()),
        rules=rules,
        caps=caps,
        exclude_earn=reader.condition(exclude.get("earn"), "line") if exclude else None,
        exclude_redeem=reader.condition(exclude.get("redeem"), "line") if exclude else None,
        exclude_payments=codes_of(exclude, "payments") if exclude else frozenset(),
        card_categories=codes_of(programme, "card_categories"),
        tiers=tiers_of(programme, currencies),
        redeem=redeem_of(programme, currencies),
        returns=returns_of(programme),
        members=members_of(programme),
        segments=_segments(programme, reader),
        partners=partners_of(programme),
        transfers=transfers_of(programme, currencies),
        debt_allowed=programme.choice("debt") == "allow",
        texts=_texts(programme),
        spend_windows=compiler.windows_of(SPEND_IN),
        purchase_windows=compiler.windows_of(PURCHASES_IN),
        asks_preference=compiler.reads("member.favourite_category"),
        content_hash=content_hash,
    )
    faults.found += bounds_of(reader.written, caps)
    faults.found += lapses_of(currencies.by_key, _expiry_places(programme), reader.written, zone)
    if faults.found:
        return None
    compiler.seal()
    return version


def _expiry_places(programme: Fields) -> dict[str, Place]:
    """Where each currency says when it lapses."""
    return {
        key: node.entries.get("expires", node).place
        for key, node in programme.entries("currencies")
        if isinstance(node, Mapping)
    }


def _segments(programme: Fields, reader: RuleReader) -> tuple[Segment, ...]:
    found = [(key, reader.condition(node, "segment")) for key, node in programme.entries("segments")]
    return tuple([Segment(key, condition) for key, condition in found if condition is not None])


def _texts(programme: Fields) -> Texts:
    glossary = programme.glossary("words")
    texts = Texts(programme.words("name"), programme.words("cashier"), programme.words("slip"), glossary)
    for word in ("cashier", "slip"):
        for text in programme.words(word).values():
            for fact in _PLACEHOLDER.findall(text):
                if fact not in TEXT_FACTS:
                    message = f"there is no fact `{fact}`"
                    programme.faults.add(programme.place(word), "unknown_fact", message, nearest(fact, TEXT_FACTS))
    return texts


def _zone(text: str) -> str:
    if text in _zones():
        return text
    raise NotUnderstoodError(f"there is no time zone `{text}`", nearest(text, _zones()) or "write Europe/Warsaw")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _money(text: str) -> str:
    if _MONEY.fullmatch(text):
        return text
    raise NotUnderstoodError(f"`{text}` is not a currency code", "write three capital letters, such as PLN")
