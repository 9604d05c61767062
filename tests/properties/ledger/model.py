"""The books once more, in plain dictionaries: what the account decider is compared with.

It shares no code with the services. Time is whole minutes since a midnight; a day has 1,440. Verdicts are `ok`,
`waiting`, or the code of a refusal. Lots, holds, redemptions and transfers go by small integers.
"""

from typing import Any

Entry = dict[str, Any]

FOR_EVER = 10**9
BUCKETS = (
    "issued", "adjusted", "transferred_out", "pending", "available", "held", "in_transit", "redeemed", "expired",
    "reversed", "debt",
)  # fmt: skip


class Model:
    """One account. `limits` may name per_day, at_least, step, share (part, whole), debt_allowed, month."""

    def __init__(self, limits: Entry) -> None:
        self.limits = limits
        self.now = 0
        self.status = "unopened"
        self.erased = False
        self.lots: dict[Any, Entry] = {}
        self.holds: dict[int, Entry] = {}
        self.spent: dict[int, Entry] = {}
        self.sent: dict[int, Entry] = {}
        self.refused: set[int] = set()
        self.total = dict.fromkeys(BUCKETS, 0)

    # Time

    def wait(self, minutes: int) -> str:
        """Let time pass."""
        self.now += minutes
        self._run()
        return "ok"

    def _run(self) -> None:
        """Everything that is due, one instant after the other."""
        instants = {hold["until"] for hold in self.holds.values() if hold["state"] == "open"}
        for lot in self.lots.values():
            instants |= {lot["starts"], lot["ends"]}
        for at in sorted(instant for instant in instants if instant <= self.now):
            for hold in self.holds.values():
                if hold["state"] == "open" and hold["until"] <= at:
                    self._let_go(hold, "timed_out", at)
            for lot in self.lots.values():
                if lot["pending"] and lot["starts"] <= at:
                    self._shift(lot, "pending", "available", lot["pending"])
            self._settle()
            for lot in self.lots.values():
                if lot["ends"] <= at:
                    self._shift(lot, "pending", "expired", lot["pending"])
                    self._shift(lot, "available", "expired", lot["available"])

    def _settle(self) -> None:
        """Available points pay what is owed."""
        self._take(self.total["debt"], "debt")

    # Small steps

    def _in_order(self) -> list[Entry]:
        return sorted(self.lots.values(), key=lambda lot: (lot["ends"], lot["earned"], lot["number"]))

    def _shift(self, lot: Entry | None, source: str, target: str, points: int) -> None:
        for bucket, change in ((source, -points), (target, points)):
            if lot is not None and bucket in lot:
                lot[bucket] += change
            self.total[bucket] += -change if bucket in {"issued", "adjusted", "debt"} else change

    def _take(self, points: int, target: str, lots: list[Entry] | None = None) -> list[list[Any]]:
        """Available points, soonest-ending first: pairs of lot and points."""
        taken = []
        for lot in self._in_order() if lots is None else lots:
            part = min(points, lot["available"])
            if part:
                self._shift(lot, "available", target, part)
                taken.append([lot, part])
                points -= part
        return taken

    def _open(self, key: Any, points: int, source: str, **fields: Any) -> Entry:  # any hashable
        lot = {
            "number": len(self.lots), "points": points, "pending": 0, "available": 0, "held": 0, "in_transit": 0,
            "redeemed": 0, "expired": 0, "reversed": 0, "earned": self.now, "starts": -1, "ends": FOR_EVER,
            "award": None, "taken_back": 0, "written_off": 0, **fields,
        }  # fmt: skip
        self.lots[key] = lot
        self._shift(lot, source, "pending" if lot["starts"] > min(lot["earned"], self.now) else "available", points)
        return lot

    def _let_go(self, hold: Entry, state: str, at: int) -> None:
        """Give back what is on hold; of lots whose date has passed it expires at once, the rest pays debts."""
        freed = [(share["lot"], share["held"]) for share in hold["shares"] if share["held"]]
        for share in hold["shares"]:
            self._shift(share["lot"], "held", "available", share["held"])
            share["held"] = 0
        hold["state"] = state
        self._bury(freed, at)

    def _bury(self, freed: list[tuple[Entry, int]], at: int) -> None:
        for lot, points in freed:
            if lot["ends"] <= at:
                self._shift(lot, "available", "expired", points)
        self._settle()

    def _ended(self) -> str | None:
        if self.erased:
            return "member_erased"
        return "account_closed" if self.status == "closed" else None

    # Awards

    def accrue(self, key: int, points: int, earned: int, starts: int, ends: int) -> str:
        """Open a lot."""
        if self._ended():
            self.refused.add(key)
            return self._ended() or ""
        self.status = "open" if self.status == "unopened" else self.status
        self._open(("award", key), points, "issued", award=key, earned=earned, starts=starts, ends=ends)
        self._settle()
        self._run()
        return "ok"

    def reverse(self, award: int, points: int, policy: str) -> str:
        """Take an award back."""
        lot = self.lots.get(("award", award))
        if lot is None:
            return "nothing_to_reverse" if award in self.refused else "waiting"
        points = min(points, lot["points"] - lot["taken_back"])
        if not points:
            return "already_reversed"
        lot["taken_back"] += points
        part = min(points, lot["pending"])
        self._shift(lot, "pending", "reversed", part)
        points -= part
        if policy != "pending_only":
            points -= sum(part for _, part in self._take(points, "reversed", [lot]))
        lapsed = min(points, lot["expired"] - lot["written_off"])
        lot["written_off"] += lapsed
        points -= lapsed
        if policy != "pending_only":
            points -= sum(part for _, part in self._take(points, "reversed"))
        if policy == "negative":
            self._shift(None, "debt", "reversed", points)
        return "ok"

    # Spending

    def _may_spend(self, points: int, bill: int | None) -> str | None:
        limits = self.limits
        if self.status == "unopened":
            return "account_unknown"
        if self._ended():
            return self._ended()
        if self.status == "frozen":
            return "account_frozen"
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
        for spent in self.spent.values():
            whole = self.taken(spent) and self.taken(spent) == self.given_back(spent)
            count += spent["day"] == today and not whole
        for hold in self.holds.values():
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

    def _spend(self, key: int, day: int | None, hold: int | None = None) -> Entry:
        return self.spent.setdefault(
            key, {"shares": [], "owed": 0, "owed_back": 0, "day": day, "hold": hold, "claimed": None}
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

    def capture(self, key: int, hold_key: int, points: int | None, *, keep: bool) -> str:
        """Spend what is set aside."""
        if self.status == "unopened":
            return "account_unknown"
        hold = self.holds.get(hold_key)
        if hold is None:
            return "hold_unknown"
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
        return "ok"

    def release(self, hold_key: int) -> str:
        """Give back what is set aside."""
        if self.status == "unopened":
            return "account_unknown"
        hold = self.holds.get(hold_key)
        if hold is None:
            return "hold_unknown"
        if hold["state"] == "captured":
            return "hold_captured"
        if hold["state"] == "open":
            self._let_go(hold, "released", self.now)
        return "ok"

    def purchase(
        self, key: int, points: int, policy: str, made: int, hold_key: int | None, spent_key: int | None
    ) -> str:  # as a purchase says it
        """Follow a purchase that says it was paid with points."""
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
        if rest > revivable and not claims and not from_hold and not revivable:
            if self.status == "frozen":
                return "account_frozen"
            if policy == "refuse":
                return "unbacked_points"
        self.status = "open" if self.status == "unopened" else self.status
        for spent in claims:
            spent["claimed"] = key
        if claims:
            self._spend(key, None)
        if hold is not None and from_hold:
            self._capture(key, hold, from_hold, keep=False, name=hold_key or 0)
        elif hold is not None and hold["state"] == "open":
            self.release(hold_key or 0)
        spent = self._spend(key, None if claims or from_hold else self.now // 1440)
        spent["claimed"] = key
        if hold is not None and late and revivable:
            self._enter(spent, self._revive(hold, revivable))
            spent["hold"] = hold_key
            hold["captured"] += revivable
            hold["state"] = "captured"
            rest -= revivable
        if rest and self.status != "frozen" and policy != "refuse":
            taken = self._take(rest, "redeemed")
            self._enter(spent, taken)
            rest -= sum(part for _, part in taken)
            if policy == "negative":
                self._shift(None, "debt", "redeemed", rest)
                spent["owed"] += rest
        return "ok"

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

    # Giving back

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

    def send(self, key: int, points: int) -> str:
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
        if self.total["held"]:
            return "hold_open"
        if self.total["in_transit"]:
            return "transfer_open"
        for lot in self.lots.values():
            self._shift(lot, "pending", "expired", lot["pending"])
            self._shift(lot, "available", "expired", lot["available"])
        self.status = "closed"
        return "ok"

    def erase(self) -> str:
        """Forget the member."""
        if self.status == "unopened":
            return "account_unknown"
        self.erased = True
        return "ok"
