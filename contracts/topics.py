"""Topics, their keys, and which types they carry."""

from dataclasses import dataclass
from typing import Final

from contracts.shards import SHARDS


@dataclass(frozen=True, slots=True)
class Topic:
    """A Kafka topic. `key` says in words what its messages are keyed by; `types` what it may carry."""

    name: str
    key: str
    types: tuple[str, ...]
    compacted: bool = False
    partitions: int = SHARDS

    @property
    def dead_letters(self) -> str:
        """Where references to this topic's dead letters go."""
        return f"{self.name}.dead-letters"


PURCHASES: Final = Topic("bonus.purchases.v1", "identifier", ("bonus.purchase.completed.v1",))
RETURNS: Final = Topic("bonus.returns.v1", "purchase id", ("bonus.purchase.returned.v1",))
ACTIVITIES: Final = Topic(
    "bonus.activities.v1",
    "identifier",
    ("bonus.member.enrolled.v1", "bonus.member.updated.v1", "bonus.activity.recorded.v1"),
)
IDENTIFIERS: Final = Topic(
    "bonus.identifiers.v1",
    "identifier",
    ("bonus.identifier.linked.v1", "bonus.identifier.blocked.v1", "bonus.award.addressed.v1"),
)
PURCHASE_INDEX: Final = Topic("bonus.purchase-index.v1", "purchase id", ("bonus.purchase.indexed.v1",))
RECEIPTS: Final = Topic(
    "bonus.receipts.v1",
    "account",
    (
        "bonus.receipt.identified.v1",
        "bonus.activity.identified.v1",
        "bonus.award.identified.v1",
        "bonus.facts.identified.v1",
        "bonus.participant.enrolled.v1",
        "bonus.return.indexed.v1",
        "bonus.purchase.conflicted.v1",
    ),
)
BUDGETS: Final = Topic(
    "bonus.budgets.v1", "campaign (asks), account (grants)", ("bonus.budget.asked.v1", "bonus.budget.granted.v1")
)
VERDICTS: Final = Topic(
    "bonus.verdicts.v1",
    "as the message it answers",
    ("bonus.purchase.rejected.v1", "bonus.return.rejected.v1", "bonus.activity.rejected.v1"),
)
AWARDS: Final = Topic(
    "bonus.awards.v1",
    "account",
    (
        "bonus.account.open.v1",
        "bonus.points.accrue.v1",
        "bonus.points.reverse.v1",
        "bonus.purchase.redeem.v1",
        "bonus.redemption.restore.v1",
        "bonus.tier.change.v1",
        "bonus.accounts.merge.v1",
    ),
)
REDEMPTIONS: Final = Topic(
    "bonus.redemptions.v1",
    "account",
    (
        "bonus.hold.place.v1",
        "bonus.hold.capture.v1",
        "bonus.hold.release.v1",
        "bonus.points.redeem.v1",
        "bonus.redemption.reverse.v1",
    ),
)
TRANSFERS: Final = Topic(
    "bonus.transfers.v1",
    "account that the message is for",
    (
        "bonus.transfer.offered.v1",
        "bonus.transfer.accepted.v1",
        "bonus.transfer.refused.v1",
        "bonus.command.forwarded.v1",
    ),
)
LEDGER_EVENTS: Final = Topic("bonus.ledger-events.v1", "account", ())
MEMBER_EVENTS: Final = Topic(
    "bonus.member-events.v1",
    "account",
    (
        "bonus.birthday.reached.v1",
        "bonus.member.lapsed.v1",
        "bonus.tier.loss-announced.v1",
        "bonus.member.erased.v1",
    ),
)
PROGRAMMES: Final = Topic("bonus.programmes.v1", "tenant/programme", ("bonus.programme.published.v1",), compacted=True)
NOTIFICATIONS: Final = Topic(
    "bonus.notifications.v1",
    "account",
    ("bonus.notification.delivered.v1", "bonus.notification.failed.v1", "bonus.notification.bounced.v1"),
)
DEAD_LETTER_TYPE: Final = "bonus.dead-letter.recorded.v1"
"""What every dead-letter topic carries; keyed by the dead letter's id."""


TOPICS: Final = (
    PURCHASES, RETURNS, ACTIVITIES, IDENTIFIERS, PURCHASE_INDEX, RECEIPTS, BUDGETS, VERDICTS,
    AWARDS, REDEMPTIONS, TRANSFERS, LEDGER_EVENTS, MEMBER_EVENTS, PROGRAMMES, NOTIFICATIONS,
)  # fmt: skip

DEAD_LETTERS: Final = tuple(
    Topic(topic.dead_letters, "id of the dead letter", (DEAD_LETTER_TYPE,), partitions=1) for topic in TOPICS
)
"""One for each topic, of one partition: few messages, and nobody's order depends on them."""

PARTIES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    PURCHASES.name: (("retail",), ("rules",)),
    RETURNS.name: (("retail",), ("rules",)),
    ACTIVITIES.name: (("retail",), ("rules",)),
    IDENTIFIERS.name: (("rules",), ("rules",)),
    PURCHASE_INDEX.name: (("rules",), ("rules",)),
    RECEIPTS.name: (("rules",), ("rules",)),
    BUDGETS.name: (("rules",), ("rules",)),
    VERDICTS.name: (("rules",), ("retail",)),
    AWARDS.name: (("rules",), ("ledger",)),
    REDEMPTIONS.name: (("retail",), ("ledger",)),
    TRANSFERS.name: (("ledger",), ("ledger",)),
    LEDGER_EVENTS.name: (("ledger",), ("rules", "notifier", "retail")),
    MEMBER_EVENTS.name: (("rules",), ("ledger", "notifier")),
    PROGRAMMES.name: (("rules",), ("rules", "ledger", "notifier")),
    NOTIFICATIONS.name: (("notifier",), ("retail",)),
}
"""Who sends and who receives each topic; `retail` stands for any system beside the services."""
