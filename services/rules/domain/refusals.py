"""Why something that came in is not done: a code for programs, and words for the person who reads the list."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

CONFLICT: Final = "conflict"
IDENTIFIER_TAKEN: Final = "identifier_taken"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason. `code` never changes; `field` is the JSON path of what is wrong, where one field is."""

    code: str
    message: str
    field: str | None = None

    @classmethod
    def time_in_future(cls, at: datetime, now: datetime, field: str) -> "Refusal":
        """A clock at the source is wrong, or the message."""
        return cls("time_in_future", f"{at.isoformat()} lies ahead of this clock, {now.isoformat()}", field)

    @classmethod
    def unknown_programme(cls, programme: str) -> "Refusal":
        """No version of such a programme was published."""
        return cls("unknown_programme", f"no programme {programme!r} is published here", "$.data.programme")

    @classmethod
    def wrong_currency(cls, currency: str, money: str) -> "Refusal":
        """The programme reckons in another money."""
        return cls("wrong_currency", f"the programme is in {money}, not in {currency}", "$.data.currency")

    @classmethod
    def conflict(cls, what: str, subject_id: str) -> "Refusal":
        """The same business id with other content: the first stands."""
        return cls(CONFLICT, f"{what} {subject_id!r} came before with other content; the first one stands")

    @classmethod
    def identifier_blocked(cls, since: datetime) -> "Refusal":
        """The card was lost, or taken away."""
        return cls("identifier_blocked", f"this identifier is blocked since {since.isoformat()}", "$.data.member")

    @classmethod
    def claim_window_passed(cls, until: datetime) -> "Refusal":
        """The member joined, or asked, too late for this purchase."""
        return cls("claim_window_passed", f"it could be claimed before {until.isoformat()}")

    @classmethod
    def purchase_unknown(cls, purchase_id: str) -> "Refusal":
        """Nothing was taken in under this id."""
        return cls("purchase_unknown", f"no purchase {purchase_id!r} was taken in")

    @classmethod
    def not_claimable(cls, purchase_id: str) -> "Refusal":
        """Somebody has it, or it came under an identifier."""
        return cls("not_claimable", f"purchase {purchase_id!r} is not one that named no member")

    @classmethod
    def identifier_taken(cls) -> "Refusal":
        """Somebody else holds it: the first one does."""
        return cls(IDENTIFIER_TAKEN, "another member of this programme holds this identifier", "$.data.identifiers")

    @classmethod
    def unknown_line(cls, line: int, index: int) -> "Refusal":
        """The purchase has no such line."""
        return cls("unknown_line", f"the purchase has no line {line}", f"$.data.lines[{index}].line")

    @classmethod
    def returns_more_than_bought(cls, line: int, index: int, field: str, left: str) -> "Refusal":
        """More would come back than is left."""
        return cls(
            "returns_more_than_bought",
            f"of line {line} there is {left} left to return",
            f"$.data.lines[{index}].{field}",
        )
