"""The books once more, in plain dictionaries: time, lots and awards of the model.

It shares no code with the services. Time is whole minutes since a midnight; a day has 1,440. Verdicts are `ok`,
`waiting`, `passed on` (to the account that took this one up), or the code of a refusal. Accounts, lots, holds,
redemptions and transfers go by small integers.
"""

from typing import Any

Entry = dict[str, Any]

FOR_EVER = 10**9
PASSED_ON = "passed on"
BUCKETS = (
    "issued", "adjusted", "transferred_in", "transferred_out", "pending", "available", "held", "in_transit", "redeemed",
    "expired", "reversed", "debt",
)  # fmt: skip


_OUTSIDE = {"issued", "adjusted", "transferred_in", "debt"}
"""Where points come from: their figures grow when points leave them."""


def blank(who: int, clock: Entry) -> Entry:
    """An account of which nothing is known, under the one clock of all accounts: `{"now": minutes}`.

    `into` took it up, `taking_up` are those that it agreed to take up; `came` are the keys of all that was decided
    here; `mail` is what it has for other accounts.
    """
    return {
        "who": who, "clock": clock, "status": "unopened", "erased": False, "currencies": {}, "into": None,
        "taking_up": set(), "tier": None, "standing": None, "came": set(), "sent": {}, "mail": [],
    }  # fmt: skip


class Core:
    """One currency of an account, without what members and operators do; `limits` as Model says.

    `account` is what all its currencies have in common, as `blank` makes it.
    """

    def __init__(self, name: str, limits: Entry, account: Entry) -> None:
        self.name = name
        self.limits = limits
        self.account = account
        account["currencies"][name] = self
        self.lots: list[Entry] = []
        self.holds: dict[int, Entry] = {}
        self.spent: dict[Any, Entry] = {}
        self.total = dict.fromkeys(BUCKETS, 0)
        self.earned = False
        self.active: int | None = None
        self.lapses: int | None = None
        self.notice: int | None = None

    @property
    def now(self) -> int:
        """The clock."""
        return int(self.account["clock"]["now"])

    @property
    def status(self) -> str:
        """Whether it is open."""
        return str(self.account["status"])

    @status.setter
    def status(self, status: str) -> None:
        self.account["status"] = status

    @property
    def merged(self) -> bool:
        """Whether another account took it up."""
        return self.account["into"] is not None

    @property
    def currencies(self) -> list[Any]:
        """Every currency of the account."""
        return list(self.account["currencies"].values())

    # Time

    def catch_up(self) -> None:
        """What time has done to the account."""
        for currency in self.currencies:
            currency._run()

    def _run(self) -> None:
        """Everything that is due, one instant after the other."""
        instants = {hold["until"] for hold in self.holds.values() if hold["state"] == "open"}
        for lot in self.lots:
            instants |= {lot["starts"], lot["ends"]}
        instants |= {each for each in (self.lapses, self.notice) if each is not None}
        for at in sorted(instant for instant in instants if instant <= self.now):
            self._pass(at)

    def _pass(self, at: int) -> None:
        """What one instant does."""
        for hold in self.holds.values():
            if hold["state"] == "open" and hold["until"] <= at:
                self._let_go(hold, "timed_out", at)
        for lot in self.lots:
            if lot["pending"] and lot["starts"] <= at:
                self._shift(lot, "pending", "available", lot["pending"])
        self._settle()
        for lot in self.lots:
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
        for lot in self.lots:
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
        return sorted(self.lots, key=lambda lot: (lot["ends"], lot["earned"], lot["number"]))

    def _shift(self, lot: Entry | None, source: str, target: str, points: int) -> None:
        for bucket, change in ((source, -points), (target, points)):
            if lot is not None and bucket in lot:
                lot[bucket] += change
            self.total[bucket] += -change if bucket in _OUTSIDE else change

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

    def _open(
        self, points: int, source: str, target: str = "available", **fields: Any
    ) -> Entry:  # any of the lot's own
        lot = {
            "number": len(self.lots), "points": points, "pending": 0, "available": 0, "held": 0, "in_transit": 0,
            "redeemed": 0, "expired": 0, "reversed": 0, "earned": self.now, "starts": -1, "ends": FOR_EVER,
            "award": None, "taken_back": 0, "written_off": 0, **fields,
        }  # fmt: skip
        self.lots.append(lot)
        self._shift(lot, source, target, points)
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
        """Points are free again: past their date they expire, else they pay debts, or go where the rest went."""
        for lot, points in freed:
            if lot["ends"] <= at:
                self._shift(lot, "available", "expired", points)
        self._settle()
        self._send_on()

    def _send_on(self) -> None:
        """What becomes available on a merged account goes where the rest went."""
        if self.merged and self.total["available"]:
            parts = [(lot, "available", lot["available"]) for lot in self._in_order() if lot["available"]]
            self._dispatch(parts, self.account["into"], merge=True)

    def _dispatch(self, parts: list[tuple[Entry, str, int]], to: int, *, merge: bool, owed: int = 0) -> None:
        """Points of these lots are on their way to another account, with all that stays true of them there."""
        number = len(self.account["sent"])
        for lot, bucket, points in parts:
            self._shift(lot, bucket, "in_transit", points)
        self._shift(None, "transferred_in", "debt", owed)
        self.account["sent"][number] = {
            "currency": self, "shares": [(lot, points) for lot, _, points in parts], "state": "sent",
            "points": sum(points for *_, points in parts), "month": None if merge else self._month(),
        }  # fmt: skip
        parcels = [
            {
                "lot": lot["number"],
                "points": points,
                **{name: lot[name] for name in ("earned", "starts", "ends", "award")},
            }
            for lot, _, points in parts
        ]
        self._mail("offer", to, sent=number, parcels=parcels, merge=merge, owed=owed, active=self.active)

    def _month(self) -> int:
        """March, April or May, for it all begins on 1 March."""
        return sum(self.now >= day * 1440 for day in (31, 61))

    def _mail(self, kind: str, to: int, **fields: Any) -> None:  # what a message of this kind says
        self.account["mail"].append(
            {"kind": kind, "to": to, "from": self.account["who"], "currency": self.name, **fields}
        )

    def _ended(self) -> str | None:
        if self.account["erased"]:
            return "member_erased"
        return "account_closed" if self.status == "closed" else None

    def _begin(self, standing: int | None = None) -> None:
        """Something is booked: from now on there is an account; the progress to the next tier may come along."""
        self.status = "open" if self.status == "unopened" else self.status
        self.account["standing"] = self.account["standing"] if standing is None else standing

    # Awards

    def accrue(self, key: Any, earned: int, grants: list[Entry], standing: int | None = None) -> str:
        """Open lots, in whatever currencies; each grant has currency, points, starts, ends and whether it lapses."""
        if self.merged:
            return PASSED_ON
        if self._ended():
            return self._ended() or ""
        self._begin(standing)
        for grant in grants:
            currency = self.account["currencies"][grant["currency"]]
            # What a late message brings was pending first, and activates as it would have.
            opens = "pending" if grant["starts"] > min(earned, self.now) else "available"
            terms = {"award": key, "earned": earned, "starts": grant["starts"], "ends": grant["ends"]}
            currency._open(grant["points"], "issued", opens, **terms)
            currency.earned = currency.earned or grant["lapses"]
            currency._acted(earned)
        for currency in self.currencies:
            currency._settle()
        self.catch_up()
        return "ok"

    def reverse(self, award: Any, points: int, policy: str, standing: int | None = None) -> str:
        """Take an award back; where the points went on, the account that has them is asked for the rest."""
        own = [lot for lot in self._in_order() if lot["award"] == award]
        if not own and self.merged:
            return PASSED_ON
        if not own:
            return "nothing_to_reverse" if award in self.account["came"] else "waiting"
        asked = min(points, sum(lot["points"] - lot["taken_back"] for lot in own))
        if not asked:
            return "already_reversed"
        self._begin(standing)
        if self.merged:
            found = dict.fromkeys(range(len(self.lots)), 0)
            left = self._write_off(own, asked, found)
            if left:
                self._mail("take back", self.account["into"], award=award, points=left, policy=policy)
        else:
            found = self._take_away(own, asked, policy)
        beyond = asked - sum(found[lot["number"]] for lot in own)
        for lot in own:
            room = lot["points"] - lot["taken_back"]
            counted = min(found[lot["number"]], room)
            beyond += found[lot["number"]] - counted
            more = min(beyond, room - counted)
            beyond -= more
            lot["taken_back"] += counted + more
        return "ok"

    def take_back(self, award: Any, points: int, policy: str) -> str:
        """The rest of what was to be taken from an account that this one took up, and which has counted it."""
        if self.merged:
            return PASSED_ON
        if self.status == "unopened":
            return "account_unknown"
        self._take_away([lot for lot in self._in_order() if lot["award"] == award], points, policy)
        return "ok"

    def _take_away(self, own: list[Entry], points: int, policy: str) -> dict[int, int]:
        """Pending, available, expired; then of other lots, then into debt. What was found of the award's own lots."""
        found = dict.fromkeys(range(len(self.lots)), 0)
        for lot in own:
            part = min(points, lot["pending"])
            self._shift(lot, "pending", "reversed", part)
            found[lot["number"]] += part
            points -= part
        for lot, part in self._take(points, "reversed", own) if policy != "pending_only" else ():
            found[lot["number"]] += part
            points -= part
        points = self._write_off(own, points, found)
        if policy != "pending_only":
            points -= sum(part for _, part in self._take(points, "reversed"))
        if policy == "negative":
            self._shift(None, "debt", "reversed", points)
        return found

    @staticmethod
    def _write_off(own: list[Entry], points: int, found: dict[int, int]) -> int:
        """What expired counts as taken, once; gives what is left to take."""
        for lot in own:
            lapsed = min(points, lot["expired"] - lot["written_off"])
            lot["written_off"] += lapsed
            found[lot["number"]] += lapsed
            points -= lapsed
        return points
