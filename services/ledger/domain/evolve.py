"""What events mean for the state: movements apply as they stand, the rest goes by the event's class.

Total: no event raises, and a lot, hold, redemption or transit that is not loaded is left alone.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from services.ledger.domain.account import Account, HeldShare, Hold, HoldState, Redemption, SpentShare, Tier, Transit
from services.ledger.domain.account_events import (
    AccountClosed,
    AccountFrozen,
    AccountMerged,
    AccountOpened,
    AccountUnfrozen,
    MemberErased,
    MergeAbandoned,
    MergeAccepted,
    MergeCompleted,
    TierChanged,
    TransferCompleted,
    TransferReturned,
    TransferSent,
)
from services.ledger.domain.events import (
    Activity,
    Event,
    HoldCaptured,
    HoldPlaced,
    HoldReleased,
    HoldTimedOut,
    Movement,
    PointsRedeemed,
    PointsRestored,
    PointsReversed,
    RedemptionForwarded,
    RedemptionMatched,
)
from services.ledger.domain.working import Working


def evolve(account: Account, event: Event) -> Account:
    """The account after one more event."""
    working = Working(account)
    apply(working, event)
    return working.account()


def replay(account: Account, events: Iterable[Event]) -> Account:
    """The account after these events."""
    working = Working(account)
    for event in events:
        apply(working, event)
    return working.account()


def apply(working: Working, event: Event) -> None:
    """Take one more event into a working copy."""
    working.begin()
    if event.lots:
        working.open(event.lots)
    for currency, scale in event.scales:
        working.balance(currency, scale)
    particular = _PARTICULAR.get(type(event))
    if particular is not None:
        particular(working, event)
    if event.movements:
        working.move(event.movements, event.effective_at)
    for activity in event.activity:
        working.reckon(activity)
    if event.standing is not None:
        working.standing = event.standing


def _opened(working: Working, event: AccountOpened) -> None:
    working.status = "open"
    working.tenant, working.programme, working.member_id = event.tenant, event.programme, event.member_id


def _redeemed(working: Working, event: PointsRedeemed) -> None:
    _spend(working, event, event.hold_id)
    hold = working.holds.get(event.hold_id) if event.hold_id else None
    if hold is not None:
        taken = sum(movement.points for movement in event.movements)
        _keep_hold(working, hold, "captured", hold.shares, hold.captured + taken)
    if event.unbacked:
        _change_redemption(working, event.redemption_id, unbacked=event.unbacked)
    if event.day is not None and event.part == 0:
        _count_redemption(working, event)


def _captured(working: Working, event: HoldCaptured) -> None:
    _spend(working, event, event.hold_id)
    hold = working.holds.get(event.hold_id)
    if hold is None:
        return
    shares = _less_held(hold, event.movements)
    taken = sum(movement.points for movement in event.movements if movement.target == "redeemed")
    state: HoldState = "open" if any(share.held for share in shares) else "captured"
    _keep_hold(working, hold, state, shares, hold.captured + taken)


def _placed(working: Working, event: HoldPlaced) -> None:
    shares = tuple(
        HeldShare(movement.lot_id, movement.points, movement.points)
        for movement in event.movements
        if movement.lot_id is not None
    )
    before = working.holds.get(event.hold_id)
    if before is not None:
        _keep_hold(working, before, before.state, before.shares + shares, before.captured)
        return
    hold = Hold(
        event.hold_id, event.currency, "open", shares, 0, event.effective_at, event.expires_at, event.day,
        event.reference, event.partner,
    )  # fmt: skip
    working.keep_hold(hold)
    if event.day is not None:
        _count_redemption(working, event)


def _let_go(working: Working, event: HoldReleased | HoldTimedOut) -> None:
    hold = working.holds.get(event.hold_id)
    if hold is None:
        return
    shares = _less_held(hold, event.movements)
    if any(share.held for share in shares):
        _keep_hold(working, hold, "open", shares, hold.captured)
        return
    state: HoldState = "released" if isinstance(event, HoldReleased) else "timed_out"
    _keep_hold(working, hold, state, shares, hold.captured)
    if not hold.captured and hold.day is not None and hold.day == working.redemption_day:
        working.redemptions_on_day -= 1


def _keep_hold(working: Working, hold: Hold, state: HoldState, shares: tuple[HeldShare, ...], captured: int) -> None:
    changed = Hold(
        hold.hold_id, hold.currency, state, shares, captured, hold.placed_at, hold.expires_at, hold.day,
        hold.reference, hold.partner,
    )  # fmt: skip
    working.keep_hold(changed)


def _less_held(hold: Hold, movements: Iterable[Movement]) -> tuple[HeldShare, ...]:
    """The hold's shares after movements out of `held`: what is redeemed is gone, the rest may still be revived."""
    gone: dict[UUID | None, int] = {}
    captured: dict[UUID | None, int] = {}
    for _, lot_id, _, target, points in movements:
        gone[lot_id] = gone.get(lot_id, 0) + points
        if target == "redeemed":
            captured[lot_id] = captured.get(lot_id, 0) + points
    return tuple(
        HeldShare(share.lot_id, share.points - captured.get(share.lot_id, 0), share.held - gone[share.lot_id])
        if share.lot_id in gone
        else share
        for share in hold.shares
    )


def _count_redemption(working: Working, event: PointsRedeemed | HoldPlaced) -> None:
    """One more redemption of its day; days never go back, for the clock does not."""
    if working.redemption_day == event.day:
        working.redemptions_on_day += 1
    else:
        working.redemption_day, working.redemptions_on_day = event.day, 1


def _spend(working: Working, event: PointsRedeemed | HoldCaptured, hold_id: UUID | None) -> None:
    """Enter the points that an event redeemed into its redemption, new or begun by an earlier part."""
    spent = [movement for movement in event.movements if movement.target == "redeemed"]
    if not spent and isinstance(event, HoldCaptured):
        return
    shares = tuple(SpentShare(each.lot_id, each.points, 0) for each in spent if each.lot_id is not None)
    owed = sum(each.points for each in spent if each.lot_id is None)
    before = working.redemptions.get(event.redemption_id)
    if before is not None:
        _change_redemption(
            working, before.redemption_id, shares=_joined(before.shares, shares), owed=before.owed + owed,
            day=before.day or event.day,
        )  # fmt: skip
        return
    redemption = Redemption(
        event.redemption_id, event.currency, shares, owed, 0, 0, event.effective_at, hold_id,
        event.redemption_id if event.purchase else None, event.day, event.reference, partner=event.partner,
    )  # fmt: skip
    working.keep_redemption(redemption)


def _joined(first: tuple[SpentShare, ...], more: tuple[SpentShare, ...]) -> tuple[SpentShare, ...]:
    """Shares with one entry a lot."""
    known = {share.lot_id for share in first}
    if known.isdisjoint(share.lot_id for share in more):
        return first + more
    joined = {share.lot_id: share for share in first}
    for share in more:
        before = joined.get(share.lot_id)
        points = share.points + (before.points if before else 0)
        joined[share.lot_id] = SpentShare(share.lot_id, points, before.restored if before else 0)
    return tuple(joined.values())


def _change_redemption(working: Working, redemption_id: UUID, **changes: Any) -> None:  # noqa: ANN401  # fields of Redemption
    before = working.redemptions.get(redemption_id)
    if before is not None:
        working.keep_redemption(replace(before, **changes))


def _matched(working: Working, event: RedemptionMatched) -> None:
    for claim in event.claims:
        _change_redemption(working, claim, claimed_by=event.redemption_id)
    if event.redemption_id not in working.redemptions:
        working.keep_redemption(_of_purchase(event))


def _of_purchase(event: RedemptionMatched | RedemptionForwarded) -> Redemption:
    """A purchase's own redemption, which no other purchase can claim, before it took anything."""
    return Redemption(
        event.redemption_id, event.currency, (), 0, 0, 0, event.effective_at, claimed_by=event.redemption_id
    )


def _forwarded(working: Working, event: RedemptionForwarded) -> None:
    if event.redemption_id not in working.redemptions:
        working.keep_redemption(_of_purchase(event))
    before = working.redemptions[event.redemption_id]
    _change_redemption(working, event.redemption_id, forwarded=before.forwarded + event.points)


def _restored(working: Working, event: PointsRestored) -> None:
    redemption = working.redemptions.get(event.redemption_id)
    if redemption is None:
        return
    back: dict[UUID | None, int] = {}
    for _, lot_id, source, _, points in event.movements:
        if source == "redeemed":
            back[lot_id] = back.get(lot_id, 0) + points
    shares = tuple(
        SpentShare(share.lot_id, share.points, share.restored + back.get(share.lot_id, 0))
        for share in redemption.shares
    )
    changed = replace(redemption, shares=shares, owed_restored=redemption.owed_restored + event.owed)
    working.keep_redemption(changed)
    if changed.day is not None and changed.day == working.redemption_day and changed.restored == changed.taken:
        working.redemptions_on_day -= 1


def _reversed(working: Working, event: PointsReversed) -> None:
    for lot_id, points, written_off in event.counted:
        working.count_taken_back(lot_id, points, written_off)


def _tier(working: Working, event: TierChanged) -> None:
    working.tier = Tier(event.tier, event.since, event.until)


def _sent(working: Working, event: TransferSent) -> None:
    shares = tuple((carried.lot_id, carried.points) for carried in event.carried)
    working.keep_transit(Transit(event.transit_id, event.to_account_id, event.currency, shares, event.month))
    if event.month:
        working.count_sent(event.currency, event.month, sum(points for _, points in shares))


def _arrived(working: Working, event: TransferCompleted) -> None:
    working.drop_transit(event.transit_id)


def _returned(working: Working, event: TransferReturned) -> None:
    transit = working.transits.get(event.transit_id)
    if transit is not None and event.part == 0 and transit.month:
        working.count_sent(transit.currency, transit.month, -sum(points for _, points in transit.shares))
    working.drop_transit(event.transit_id)


def _merged(working: Working, event: AccountMerged) -> None:
    working.status, working.merged_into = "merged", event.into_account_id
    for currency in working.currencies():
        working.reckon(Activity(currency, None, None, None, None))


def _merging(working: Working, event: MergeAccepted) -> None:
    working.merging_from |= {event.from_account_id}


def _merge_ended(working: Working, event: MergeCompleted | MergeAbandoned) -> None:
    working.merging_from -= {event.from_account_id}


def _frozen(working: Working, _: AccountFrozen) -> None:
    working.status = "frozen"


def _unfrozen(working: Working, _: AccountUnfrozen) -> None:
    working.status = "open"


def _closed(working: Working, _: AccountClosed) -> None:
    working.status = "closed"


def _erased(working: Working, _: MemberErased) -> None:
    working.erased = True


_PARTICULAR: Final[dict[type[Event], Callable[[Working, Any], None]]] = {
    AccountOpened: _opened, PointsRedeemed: _redeemed, RedemptionMatched: _matched,
    RedemptionForwarded: _forwarded, PointsRestored: _restored, PointsReversed: _reversed, HoldPlaced: _placed,
    HoldCaptured: _captured, HoldReleased: _let_go, HoldTimedOut: _let_go, TierChanged: _tier, TransferSent: _sent,
TransferCompleted: _arrived, TransferReturned: _returned, AccountMerged: _merged,
    MergeAccepted: _merging, MergeCompleted: _merge_ended, MergeAbandoned: _merge_ended, AccountFrozen: _frozen,
    AccountUnfrozen: _unfrozen, AccountClosed: _closed, MemberErased: _erased,
}  # fmt: skip
"""What an event does beside its movements; the others do nothing else."""
