"""The books once more, in plain dictionaries: what members spend."""

from typing import Any

from tests.properties.ledger.model_core import PASSED_ON, Core, Entry


class Spending(Core):
    """One currency of an account that may be spent from."""

    def _may_spend(self, points: int, bill: int | None) -> str | None:  # noqa: C901, PLR0911  # the questions in their order
        limits = self.limits
        if self.merged:
            return PASSED_ON
        if self.status == "unopened":
            return "account_unknown"
        if self._ended():
            return self._ended()
        if self._barred():
            return self._barred()
        if points <= 0:
            return "not_positive"
        if points < limits.get("at_least", 0):
            return "below_minimum"
        if points % limits.get("step", 1):
            return "not_a_multiple"
        if "share" in limits:
            part, whole = limits["share"]
            if bill is None and part < whole:
                return "bill_required"
            if bill is not None and points * whole > bill * part:
                return "exceeds_share_of_bill"
        if "per_day" in limits and self._today() >= limits["per_day"]:
            return "too_many_redemptions"
        return "insufficient_points" if points > self.total["available"] else None

    def _today(self) -> int:
        """How many redemptions count today: a hold does until it ends with nothing captured."""
        today = self.now // 1440
        count = 0
        for currency in self.currencies:
            for spent in currency.spent.values():
                whole = self.taken(spent) and self.taken(spent) == self.given_back(spent)
                count += spent["day"] == today and not whole
            for hold in currency.holds.values():
                count += hold["day"] == today and hold["state"] == "open" and not hold["captured"]
        return count

    @staticmethod
    def taken(spent: Entry) -> int:
        """What a redemption took."""
        return int(sum(share["points"] for share in spent["shares"]) + spent["owed"])

    @staticmethod
    def given_back(spent: Entry) -> int:
        """What of it came back."""
        return int(sum(share["back"] for share in spent["shares"]) + spent["owed_back"])

    def _spend(self, key: Any, day: int | None, hold: int | None = None) -> Entry:
        return self.spent.setdefault(
            key, {"shares": [], "owed": 0, "owed_back": 0, "day": day, "hold": hold, "claimed": None, "forwarded": 0}
        )

    @staticmethod
    def _enter(spent: Entry, taken: list[list[Any]]) -> None:
        for lot, points in taken:
            same = [share for share in spent["shares"] if share["lot"] is lot]
            if same:
                same[0]["points"] += points
            else:
                spent["shares"].append({"lot": lot, "points": points, "back": 0})

    def redeem(self, key: int, points: int, bill: int | None) -> str:
        """Spend at once."""
        why_not = self._may_spend(points, bill)
        if why_not:
            return why_not
        self._enter(self._spend(key, self.now // 1440), self._take(points, "redeemed"))
        self._acted(self.now)
        return "ok"

    def hold(self, key: int, points: int, bill: int | None, minutes: int) -> str:
        """Set aside."""
        why_not = self._may_spend(points, bill)
        if why_not:
            return why_not
        shares = [{"lot": lot, "points": part, "held": part} for lot, part in self._take(points, "held")]
        self.holds[key] = {
            "shares": shares, "state": "open", "until": self.now + minutes, "captured": 0, "day": self.now // 1440,
        }  # fmt: skip
        return "ok"

    def _capture(self, key: int, hold: Entry, points: int, *, keep: bool, name: int) -> None:
        spent = self._spend(key, None if hold["captured"] else hold["day"], name)
        hold["captured"] += points
        for share in hold["shares"]:
            part = min(points, share["held"])
            points -= part
            if part:
                self._shift(share["lot"], "held", "redeemed", part)
                share["held"] -= part
                share["points"] -= part
                self._enter(spent, [[share["lot"], part]])
        if not keep:
            self._let_go(hold, "captured", self.now)
        elif not any(share["held"] for share in hold["shares"]):
            hold["state"] = "captured"

    def capture(self, key: int, hold_key: int, points: int | None, *, keep: bool) -> str:  # noqa: PLR0911  # the same
        """Spend what is set aside."""
        if self.status == "unopened":
            return "account_unknown"
        hold = self.holds.get(hold_key)
        if hold is None:
            return PASSED_ON if self.merged else "hold_unknown"
        held = sum(share["held"] for share in hold["shares"])
        if hold["state"] == "captured":
            return "ok" if points in {None, hold["captured"]} else "hold_captured"
        if hold["state"] != "open":
            return "hold_released" if hold["state"] == "released" else "hold_expired"
        points = held if points is None else points
        if points <= 0:
            return "not_positive"
        if points > held:
            return "exceeds_hold"
        self._capture(key, hold, points, keep=keep, name=hold_key)
        self._acted(self.now)
        return "ok"

    def release(self, hold_key: int) -> str:
        """Give back what is set aside."""
        if self.status == "unopened":
            return "account_unknown"
        hold = self.holds.get(hold_key)
        if hold is None:
            return PASSED_ON if self.merged else "hold_unknown"
        if hold["state"] == "captured":
            return "hold_captured"
        if hold["state"] == "open":
            self._let_go(hold, "released", self.now)
        return "ok"

    def purchase(  # noqa: C901, PLR0912, PLR0913, PLR0917  # what a purchase says, and all that may stand behind it
        self, key: Any, points: int, policy: str, made: int, hold_key: int | None = None, spent_key: int | None = None
    ) -> str:
        """Follow a purchase that says it was paid with points; where they went on, the rest is asked for there."""
        if self.merged and hold_key not in self.holds and spent_key not in self.spent:
            return PASSED_ON
        if self._ended():
            return self._ended() or ""
        hold = self.holds.get(hold_key) if hold_key is not None else None
        claims = [
            spent
            for other, spent in self.spent.items()
            if spent["claimed"] is None
            and self.taken(spent) > self.given_back(spent)
            and (other == spent_key or (hold is not None and spent["hold"] == hold_key))
        ]
        rest = max(points - sum(self.taken(spent) - self.given_back(spent) for spent in claims), 0)
        held = sum(share["held"] for share in hold["shares"]) if hold is not None and hold["state"] == "open" else 0
        late = hold is not None and hold["state"] == "timed_out" and made < hold["until"]
        from_hold = min(rest, held)
        rest -= from_hold
        revivable = self._revivable(hold, rest) if hold is not None and late else 0
        if rest > revivable and not claims and not from_hold and not revivable and not self.merged:
            if self._barred():
                return self._barred()
            if policy == "refuse":
                return "unbacked_points"
        self._begin()
        for spent in claims:
            spent["claimed"] = key
        if claims:
            self._spend(key, None)
        if hold is not None and from_hold:
            self._capture(key, hold, from_hold, keep=False, name=hold_key or 0)
        elif hold is not None and hold["state"] == "open":
            self.release(hold_key or 0)
        if from_hold or rest or not claims:
            self._acted(self.now)
        spent = self._spend(key, None if claims or from_hold else self.now // 1440)
        spent["claimed"] = key
        if hold is not None and late and revivable:
            self._enter(spent, self._revive(hold, revivable))
            spent["hold"] = hold_key
            hold["captured"] += revivable
            hold["state"] = "captured"
            rest -= revivable
        if rest and self.merged:
            spent["forwarded"] += rest
            self._mail("purchase", self.account["into"], key=("forwarded", key), points=rest, policy=policy, made=made)
        else:
            self._unbacked(spent, rest, policy)
        return "ok"

    def _barred(self) -> str:
        """Why nothing more is spent than was promised."""
        if self.status == "frozen":
            return "account_frozen"
        return "programme_suspended" if self.limits.get("suspended") else ""

    def _unbacked(self, spent: Entry, rest: int, policy: str) -> None:
        """What nobody set aside before; a frozen account gives nothing more, nor does a suspended programme."""
        if not rest or self._barred() or policy == "refuse":
            return
        taken = self._take(rest, "redeemed")
        self._enter(spent, taken)
        rest -= sum(part for _, part in taken)
        if policy == "negative":
            self._shift(None, "debt", "redeemed", rest)
            spent["owed"] += rest

    def _revivable(self, hold: Entry, points: int) -> int:
        """How many points a hold that timed out can still have."""
        points = min(points, sum(share["points"] for share in hold["shares"]))
        expired = 0
        for share in hold["shares"]:
            lot = share["lot"]
            own = min(share["points"], lot["available"])
            expired += min(share["points"] - own, lot["expired"] - lot["written_off"])
        return min(points, self.total["available"] + expired)

    def _revive(self, hold: Entry, points: int) -> list[list[Any]]:
        taken = []
        for share in hold["shares"]:
            lot = share["lot"]
            wanted = min(points, share["points"])
            own = sum(part for _, part in self._take(wanted, "redeemed", [lot]))
            lapsed = min(wanted - own, lot["expired"] - lot["written_off"])
            self._shift(lot, "expired", "redeemed", lapsed)
            if own + lapsed:
                taken.append([lot, own + lapsed])
                points -= own + lapsed
        return taken + self._take(points, "redeemed")
