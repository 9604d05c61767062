"""The books once more, in plain dictionaries: what the account decider is compared with.

It shares no code with the services. Time is whole minutes since a midnight; a day has 1,440. Verdicts are `ok`,
`waiting`, or the code of a refusal. Lots, holds, redemptions and transfers go by small integers.
"""

from tests.properties.ledger.model_core import BUCKETS, FOR_EVER, Entry
from tests.properties.ledger.model_spending import Spending

__all__ = ["BUCKETS", "FOR_EVER", "Model"]


class Model(Spending):
    """One currency of an account; what an operator does to the account may be asked of any of them.

    `limits` may name per_day, at_least, step, share (part, whole), debt_allowed, month, inactive (days, notice).
    """

    def restore(self, spent_key: int, points: int, grace_until: int | None) -> str:
        """Goods came back: their points do too."""
        if self._ended():
            return self._ended() or ""
        if spent_key not in self.spent:
            return "nothing_to_restore" if spent_key in self.refused else "waiting"
        points = min(points, self._left(spent_key))
        if not points:
            return "nothing_to_restore"
        self._give_back(spent_key, points, grace_until)
        return "ok"

    def undo(self, spent_key: int, points: int | None) -> str:
        """Undo a redemption."""
        if self.status == "unopened":
            return "account_unknown"
        if self._ended():
            return self._ended() or ""
        if spent_key not in self.spent:
            return "redemption_unknown"
        if points is not None and points <= 0:
            return "not_positive"
        left = self._left(spent_key)
        if points is not None and points > left:
            return "exceeds_redemption"
        self._give_back(spent_key, left if points is None else points, None)
        return "ok"

    def _behind(self, spent_key: int) -> list[Entry]:
        return [spent for key, spent in self.spent.items() if spent_key in {key, spent["claimed"]}]

    def _left(self, spent_key: int) -> int:
        return sum(self.taken(spent) - self.given_back(spent) for spent in self._behind(spent_key))

    def _give_back(self, spent_key: int, points: int, grace_until: int | None) -> None:
        behind = self._behind(spent_key)
        owed_before = self.total["debt"]
        for spent in behind:
            owed = min(points, spent["owed"] - spent["owed_back"])
            spent["owed_back"] += owed
            points -= owed
            lowered = min(owed, owed_before)
            owed_before -= lowered
            self._shift(None, "redeemed", "debt", lowered)
            if owed > lowered:
                self._shift(None, "redeemed", "adjusted", owed - lowered)
                self._open(("settled", len(self.lots)), owed - lowered, "adjusted")
        shares = [share for spent in behind for share in spent["shares"] if share["points"] > share["back"]]
        shares.sort(
            key=lambda share: (share["lot"]["ends"], share["lot"]["earned"], share["lot"]["number"]), reverse=True
        )
        freed = []
        for share in shares:
            lot, part = share["lot"], min(points, share["points"] - share["back"])
            points -= part
            share["back"] += part
            if part:
                self._shift(lot, "redeemed", "available", part)
                freed.append((lot, part))
        for lot, _ in freed:
            if grace_until is not None and lot["ends"] <= self.now:
                lot["ends"] = max(lot["ends"], grace_until)
        self._bury(freed, self.now)

    # Operators, transfers

    def adjust(self, key: int, points: int, *, allow_debt: bool) -> str:
        """Put in or take away."""
        if self.status == "unopened":
            return "account_unknown"
        if self._ended():
            return self._ended() or ""
        if not points:
            return "not_positive"
        if points > 0:
            self._open(("adjusted", key), points, "adjusted")
            self._settle()
            return "ok"
        missing = max(-points - self.total["available"], 0)
        if missing and not (allow_debt or self.limits.get("debt_allowed")):
            return "insufficient_points"
        self._take(-points, "adjusted")
        self._shift(None, "debt", "adjusted", missing)
        return "ok"

    def send(self, key: int, points: int) -> str:  # noqa: PLR0911  # the questions in their order
        """Transfer to somebody."""
        if self.status == "unopened":
            return "account_unknown"
        if self._ended():
            return self._ended() or ""
        if self.status == "frozen":
            return "account_frozen"
        if points <= 0:
            return "not_positive"
        counted = sum(sent["points"] for sent in self.sent.values() if sent["state"] != "returned")
        if "month" in self.limits and counted + points > self.limits["month"]:
            return "exceeds_monthly_transfers"
        if points > self.total["available"]:
            return "insufficient_points"
        self.sent[key] = {"shares": self._take(points, "in_transit"), "points": points, "state": "sent"}
        return "ok"

    def answer(self, key: int, *, accepted: bool) -> str:
        """The other side took the points, or sent them back."""
        sent = self.sent.get(key)
        if self.status == "unopened":
            return "account_unknown"
        if sent is None or sent["state"] != "sent":
            return "ok"
        sent["state"] = "accepted" if accepted else "returned"
        for lot, points in sent["shares"]:
            self._shift(lot, "in_transit", "transferred_out" if accepted else "available", points)
        if not accepted:
            self._bury([(lot, points) for lot, points in sent["shares"]], self.now)
        return "ok"

    def freeze(self, *, on: bool) -> str:
        """Freeze or unfreeze."""
        if self.status == "unopened":
            return "account_unknown"
        if self.status == "closed":
            return "account_closed"
        self.status = "frozen" if on else "open"
        return "ok"

    def close(self) -> str:
        """End it."""
        if self.status in {"unopened", "closed"}:
            return "account_unknown" if self.status == "unopened" else "ok"
        if any(each.total["held"] for each in self.currencies):
            return "hold_open"
        if any(each.total["in_transit"] for each in self.currencies):
            return "transfer_open"
        for each in self.currencies:
            for lot in each.lots.values():
                each._expire(lot)
        self.status = "closed"
        return "ok"

    def erase(self) -> str:
        """Forget the member."""
        if self.status == "unopened":
            return "account_unknown"
        self.erased = True
        return "ok"
