"""The books once more, in plain dictionaries: time, lots and awards of the model.

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


class Core:
    """One currency of an account, without what members and operators do; `limits` as Model says.

    `beside` is another currency of the same account: clock, status and the redemptions of a day are of both.
    """

    def __init__(self, limits: Entry, beside: "Core | None" = None) -> None:
        self.limits = limits
        self._of_account: Entry = {"now": 0, "status": "unopened", "erased": False, "currencies": []}
        if beside is not None:
            self._of_account = beside._of_account
        self._of_account["currencies"].append(self)
        self.lots: dict[Any, Entry] = {}
        self.holds: dict[int, Entry] = {}
        self.spent: dict[int, Entry] = {}
        self.sent: dict[int, Entry] = {}
        self.refused: set[int] = set()
        self.total = dict.fromkeys(BUCKETS, 0)
        self.earned = False
        self.active: int | None = None
        self.lapses: int | None = None
        self.notice: int | None = None

    @property
    def now(self) -> int:
        """The clock."""
        return int(self._of_account["now"])

    @property
    def status(self) -> str:
        """Whether it is open."""
        return str(self._of_account["status"])

    @status.setter
    def status(self, status: str) -> None:
        self._of_account["status"] = status

    @property
    def erased(self) -> bool:
        """Whether its member was forgotten."""
        return bool(self._of_account["erased"])

    @erased.setter
    def erased(self, erased: bool) -> None:
        self._of_account["erased"] = erased

    @property
    def currencies(self) -> list[Any]:
        """Every currency of the account."""
        return list(self._of_account["currencies"])

    # Time

    def wait(self, minutes: int) -> str:
        """Let time pass."""
        self._of_account["now"] += minutes
        for currency in self.currencies:
            currency._run()
        return "ok"

    def _run(self) -> None:
        """Everything that is due, one instant after the other."""
        instants = {hold["until"] for hold in self.holds.values() if hold["state"] == "open"}
        for lot in self.lots.values():
            instants |= {lot["starts"], lot["ends"]}
        instants |= {each for each in (self.lapses, self.notice) if each is not None}
        for at in sorted(instant for instant in instants if instant <= self.now):
            self._pass(at)

    def _pass(self, at: int) -> None:
        """What one instant does."""
        for hold in self.holds.values():
            if hold["state"] == "open" and hold["until"] <= at:
                self._let_go(hold, "timed_out", at)
        for lot in self.lots.values():
            if lot["pending"] and lot["starts"] <= at:
                self._shift(lot, "pending", "available", lot["pending"])
        self._settle()
        for lot in self.lots.values():
            if lot["ends"] <= at:
                self._expire(lot)
        if self.lapses is not None and self.lapses <= at:
            self._lapse(at)
        if self.notice is not None and self.notice <= at:
            self.notice = None

    def _expire(self, lot: Entry) -> None:
        self._shift(lot, "pending", "expired", lot["pending"])
        self._shift(lot, "available", "expired", lot["available"])

    def _lapse(self, at: int) -> None:
        """Nobody earned or spent for long: all expires, and what is on hold does when it is released."""
        for lot in self.lots.values():
            if lot["held"]:
                lot["ends"] = min(lot["ends"], at)
            self._expire(lot)
        self.active = self.lapses = self.notice = None

    def _acted(self, at: int) -> None:
        """Something was earned or spent; a silence that would be over by now begins now."""
        if "inactive" not in self.limits or not self.earned:
            return
        days, notice_days = self.limits["inactive"]
        self.active = max(at, at if self.active is None else self.active)
        if (self.active // 1440 + days + 1) * 1440 <= self.now:
            self.active = self.now
        last_day = self.active // 1440 + days
        if (last_day + 1) * 1440 != self.lapses:
            self.lapses = (last_day + 1) * 1440
            self.notice = (last_day - notice_days) * 1440 if notice_days else None

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
        self.earned = True
        self._acted(earned)
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
