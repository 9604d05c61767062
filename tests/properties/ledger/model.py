"""The books once more, in plain dictionaries: what the account decider is compared with.

It shares no code with the services. Time is whole minutes since a midnight; a day has 1,440. Verdicts are `ok`,
`waiting`, `passed on`, or the code of a refusal. Accounts, lots, holds, redemptions and transfers go by small integers.
"""

from typing import Any

from tests.properties.ledger.model_between import Between
from tests.properties.ledger.model_core import BUCKETS, FOR_EVER, PASSED_ON, Entry, blank

__all__ = ["BUCKETS", "FOR_EVER", "PASSED_ON", "Model", "blank"]


class Model(Between):
    """One currency of an account; what an operator does to the account may be asked of any of them.

    `limits` may name per_day, at_least, step, share (part, whole), debt_allowed, month, suspended, inactive (days,
    notice).
    """

    def hear(self, message: Entry) -> str:
        """What another account has for this one."""
        answers: dict[str, Any] = {
            "offer": lambda: self.receive(message),
            "taken up": lambda: self.answer(message["sent"], accepted=True),
            "sent back": lambda: self.answer(message["sent"], accepted=False),
            "surrender": lambda: self.surrender(message["from"]),
            "concluded": lambda: self.concluded(message["from"]),
            "take back": lambda: self.take_back(message["award"], message["points"], message["policy"]),
            "purchase": lambda: self.purchase(message["key"], message["points"], message["policy"], message["made"]),
            "restore": lambda: self.restore(message["spent"], message["points"], message["grace_until"]),
        }
        return str(answers[message["kind"]]())

    def restore(self, spent_key: Any, points: int, grace_until: int | None) -> str:
        """Goods came back: their points do too, also those that another account gave for this one."""
        if self.merged and spent_key not in self.spent:
            return PASSED_ON
        if self._ended():
            return self._ended() or ""
        if spent_key not in self.spent:
            return "nothing_to_restore" if spent_key in self.account["came"] else "waiting"
        here = min(points, self._left(spent_key))
        elsewhere = min(points - here, self.spent[spent_key]["forwarded"])
        if not here and not elsewhere:
            return "nothing_to_restore"
        self._give_back(spent_key, here, grace_until)
        if elsewhere:
            self.spent[spent_key]["forwarded"] -= elsewhere
            self._mail(
                "restore", self.account["into"], spent=("forwarded", spent_key), points=elsewhere,
                grace_until=grace_until,
            )  # fmt: skip
        return "ok"

    def undo(self, spent_key: Any, points: int | None) -> str:  # noqa: PLR0911  # the questions in their order
        """Undo a redemption."""
        if self.status == "unopened":
            return "account_unknown"
        if self.merged and spent_key not in self.spent:
            return PASSED_ON
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

    def _behind(self, spent_key: Any) -> list[Entry]:
        return [spent for key, spent in self.spent.items() if spent_key in {key, spent["claimed"]}]

    def _left(self, spent_key: Any) -> int:
        return sum(self.taken(spent) - self.given_back(spent) for spent in self._behind(spent_key))

    def _give_back(self, spent_key: Any, points: int, grace_until: int | None) -> None:
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
                self._open(owed - lowered, "adjusted")
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

    # Rules, operators

    def open(self) -> str:
        """Let it be asked for before anything is earned."""
        self._begin()
        return "ok"

    def assign(self, tier: tuple[str | None, int, int | None], standing: int | None) -> str:
        """The tier that rules decided, with since and until; the same as before may bring news of the next."""
        if self._ended():
            return self._ended() or ""
        if self.merged:
            return "account_merged"
        same = tier == self.account["tier"] or (tier[0] is None and self.account["tier"] is None)
        if not same:
            self.account["tier"] = tier
        if not same or standing not in {None, self.account["standing"]}:
            self._begin(standing)
        return "ok"

    def adjust(self, points: int, ends: int, *, allow_debt: bool) -> str:  # noqa: PLR0911  # the questions in their order
        """Put in or take away."""
        if self.merged:
            return PASSED_ON
        if self.status == "unopened":
            return "account_unknown"
        if self._ended():
            return self._ended() or ""
        if not points:
            return "not_positive"
        if points > 0:
            if ends <= self.now:
                return "expires_in_the_past"
            self._open(points, "adjusted", ends=ends)
            self._settle()
            return "ok"
        missing = max(-points - self.total["available"], 0)
        if missing and not (allow_debt or self.limits.get("debt_allowed")):
            return "insufficient_points"
        self._take(-points, "adjusted")
        self._shift(None, "debt", "adjusted", missing)
        return "ok"

    def freeze(self, *, on: bool) -> str:
        """Freeze or unfreeze."""
        if self.status in {"unopened", "merged"}:
            return {"unopened": "account_unknown"}.get(self.status, f"account_{self.status}")
        if self._ended():
            return self._ended() or ""
        self.status = "frozen" if on else "open"
        return "ok"

    def close(self) -> str:  # the questions in their order
        """End it."""
        if self.status in {"unopened", "closed"}:
            return "account_unknown" if self.status == "unopened" else "ok"
        if self.merged:
            return "account_merged"
        if self.account["taking_up"]:
            return "merge_in_progress"
        if any(each.total["held"] for each in self.currencies):
            return "hold_open"
        if any(each.total["in_transit"] for each in self.currencies):
            return "transfer_open"
        for each in self.currencies:
            for lot in each.lots:
                each._expire(lot)
        self.status = "closed"
        return "ok"

    def erase(self) -> str:
        """Forget the member."""
        if self.status == "unopened":
            return "account_unknown"
        self.account["erased"] = True
        return "ok"
