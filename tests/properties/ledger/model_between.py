"""The books once more, in plain dictionaries: what goes from one account to another, and accounts that become one."""

from tests.properties.ledger.model_core import PASSED_ON, Entry
from tests.properties.ledger.model_spending import Spending


class Between(Spending):
    """One currency of an account that has to do with other accounts."""

    def send(self, points: int, to: int) -> str:  # noqa: PLR0911  # the questions in their order
        """Transfer to somebody."""
        if self.merged:
            return PASSED_ON
        if self.status == "unopened":
            return "account_unknown"
        if self._ended():
            return self._ended() or ""
        if self._barred():
            return self._barred()
        if to == self.account["who"]:
            return "same_account"
        if points <= 0:
            return "not_positive"
        counted = sum(
            sent["points"]
            for sent in self.account["sent"].values()
            if sent["currency"] is self and sent["month"] == self._month() and sent["state"] != "returned"
        )
        if "month" in self.limits and counted + points > self.limits["month"]:
            return "exceeds_monthly_transfers"
        if points > self.total["available"]:
            return "insufficient_points"
        parts = []
        for lot in self._in_order():
            part = min(points, lot["available"])
            points -= part
            parts += [(lot, "available", part)] if part else []
        self._dispatch(parts, to, merge=False)
        return "ok"

    def receive(self, offer: Entry) -> str:
        """Points come from another account, and debts with a merge, which nobody may refuse any more."""
        if self.merged:
            return PASSED_ON
        why_not = "account_unknown" if self.status == "unopened" else self._ended()
        if why_not and not offer["merge"]:
            self._mail("sent back", offer["from"], sent=offer["sent"], why=why_not)
            return why_not
        for parcel in offer["parcels"]:
            opens = "pending" if parcel["starts"] > self.now else "available"
            terms = {name: parcel[name] for name in ("earned", "starts", "ends")}
            award = parcel["award"] if offer["merge"] else None
            lot = self._open(parcel["points"], "transferred_in", opens, award=award, **terms)
            if lot["available"] and lot["ends"] <= self.now:
                self._expire(lot)
        self._shift(None, "debt", "transferred_out", offer["owed"])
        if offer["active"] is not None and (offer["merge"] or not self.earned):
            self.earned = True
            self._acted(offer["active"])
        self._settle()
        self._mail("taken up", offer["from"], sent=offer["sent"])
        self.catch_up()
        return "ok"

    def answer(self, number: int, *, accepted: bool) -> str:
        """The other side took the points, or sent them back."""
        if self.status == "unopened":
            return "account_unknown"
        sent = self.account["sent"][number]
        if sent["state"] != "sent":
            return "ok"
        sent["state"] = "accepted" if accepted else "returned"
        currency = sent["currency"]
        for lot, points in sent["shares"]:
            currency._shift(lot, "in_transit", "transferred_out" if accepted else "available", points)
        if not accepted:
            currency._bury(sent["shares"], self.now)
        return "ok"

    # Merges: the one that stays agrees first, then the other gives everything, then the first is told

    def take_up(self, whom: int) -> str:
        """Agree to take up another account."""
        if self.merged:
            return PASSED_ON
        if whom in self.account["taking_up"]:
            return "ok"
        if whom == self.account["who"]:
            return "same_account"
        if self._ended():
            return self._ended() or ""
        self._begin()
        self.account["taking_up"].add(whom)
        self._mail("surrender", whom)
        return "ok"

    def surrender(self, into: int) -> str:
        """Give all that is pending, available or owed to the account that agreed to take this one up."""
        account = self.account
        if self.merged:
            why_not = None if account["into"] == into else "account_merged"
            self._mail("concluded", into, why=why_not)
            return why_not or "ok"
        why_not = self._ended() or ("account_frozen" if self.status == "frozen" else None)
        # Of two that would take up each other, the first stays.
        if not why_not and (account["taking_up"] - {into} or (account["taking_up"] and account["who"] < into)):
            why_not = "merge_in_progress"
        self._mail("concluded", into, why=why_not)
        if why_not:
            return why_not
        account["taking_up"].clear()
        for currency in self.currencies:
            currency._give_all(into)
        account["into"], account["status"] = into, "merged"
        return "ok"

    def _give_all(self, into: int) -> None:
        parts = [
            (lot, bucket, lot[bucket]) for lot in self._in_order() for bucket in ("pending", "available") if lot[bucket]
        ]
        if parts:
            self._dispatch(parts, into, merge=True)
        if self.total["debt"]:
            self._dispatch([], into, merge=True, owed=self.total["debt"])
        self.earned, self.active, self.lapses, self.notice = False, None, None, None

    def concluded(self, whom: int) -> str:
        """The other account was taken up, or will not be."""
        if self.status == "unopened":
            return "account_unknown"
        self.account["taking_up"].discard(whom)
        return "ok"
