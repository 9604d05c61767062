"""Every message type with its model and its topic."""

from typing import Final, get_args

from contracts.activities import ActivityRecorded, MemberEnrolled, MemberUpdated
from contracts.awards import (
    AccruePoints,
    ChangeTier,
    MergeAccounts,
    OpenAccount,
    RedeemForPurchase,
    RestoreRedemption,
    ReversePoints,
)
from contracts.budgets import BudgetAsked, BudgetGranted
from contracts.dead_letters import DeadLetterRecorded
from contracts.envelope import CloudEvent
from contracts.ledger_events import LedgerEvent
from contracts.member_events import BirthdayReached, MemberErased, MemberLapsed, TierLossAnnounced
from contracts.notifications import NotificationResolved
from contracts.programmes import ProgrammePublished
from contracts.purchases import PurchaseCompleted, PurchaseReturned
from contracts.receipts import (
    ActivityIdentified,
    AwardAddressed,
    AwardIdentified,
    FactsIdentified,
    IdentifierBlocked,
    IdentifierLinked,
    ParticipantEnrolled,
    PurchaseConflicted,
    PurchaseIdentified,
    PurchaseIndexed,
    PurchaseRejected,
    ReturnIndexed,
)
from contracts.redemptions import CaptureHold, PlaceHold, RedeemPoints, ReleaseHold, ReverseRedemption
from contracts.topics import LEDGER_EVENTS, TOPICS
from contracts.transfers import CommandForwarded, TransferAccepted, TransferOffered, TransferRefused

_MESSAGES: Final[tuple[type[CloudEvent], ...]] = (
    PurchaseCompleted, PurchaseReturned, MemberEnrolled, MemberUpdated, ActivityRecorded,
    PurchaseIdentified, ActivityIdentified, FactsIdentified, ParticipantEnrolled, ReturnIndexed, PurchaseConflicted,
    AwardAddressed, AwardIdentified,
    PurchaseIndexed, IdentifierLinked, IdentifierBlocked, PurchaseRejected,
    OpenAccount, AccruePoints, ReversePoints, RedeemForPurchase, RestoreRedemption, ChangeTier, MergeAccounts,
    PlaceHold, CaptureHold, ReleaseHold, RedeemPoints, ReverseRedemption,
    ProgrammePublished, LedgerEvent, TransferOffered, TransferAccepted, TransferRefused, CommandForwarded,
    BudgetAsked, BudgetGranted, BirthdayReached, MemberLapsed, TierLossAnnounced, MemberErased, NotificationResolved,
    DeadLetterRecorded,
)  # fmt: skip


def _types_of(model: type[CloudEvent]) -> tuple[str, ...]:
    """The literals that the model's `type` field admits."""
    return get_args(model.model_fields["type"].annotation)


MODELS: Final[dict[str, type[CloudEvent]]] = {name: model for model in _MESSAGES for name in _types_of(model)}
"""Type to model: what `bonus contracts validate` and every consumer decode by."""

TOPIC_OF_TYPE: Final[dict[str, str]] = dict.fromkeys(_types_of(LedgerEvent), LEDGER_EVENTS.name) | {
    name: topic.name for topic in TOPICS for name in topic.types
}
"""Type to topic: how a relay knows where an entry of its log belongs."""
