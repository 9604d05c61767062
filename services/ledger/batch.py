"""One transaction's commands, decided in memory one after the other: what was loaded, what it became, what to write."""

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import orjson

from services.ledger import wire
from services.ledger.answers import account_elsewhere, answer_of, refusal_of
from services.ledger.domain.account import unopened
from services.ledger.domain.decide import Outcome, catch_up, handle
from services.ledger.domain.guards import Guards
from services.ledger.domain.refusals import Refusal, account_merged
from services.ledger.intake import Ask, Request, in_smallest_unit
from services.ledger.onward import message_entry
from services.ledger.programmes import Programmes
from services.ledger.projections.entries import entry_rows
from services.ledger.projections.totals import Origins
from services.ledger.storage.load import Known, Loaded
from services.ledger.storage.save import Change, Decided, Kept, Records
from services.runtime.shard import ShardTransaction, Verdict

APPLIED: Final = "applied"
REFUSED: Final = "refused"
WAITING: Final = "waiting"
REDIRECTED: Final = "redirected"
DUPLICATE: Final = "duplicate"
CONFLICT: Final = "conflict"
KEY_REUSED: Final = "idempotency_key_reused"


class Batch:
    """The accounts of a transaction on their way from what was loaded to what is saved."""

    def __init__(self, transaction: ShardTransaction, loaded: Loaded, programmes: Programmes) -> None:
        self.records = Records()
        self._transaction = transaction
        self._loaded = loaded
        self._programmes = programmes
        self._known = dict(loaded.known)
        self._changes: dict[UUID, Change] = {}
        self._origins: dict[UUID, Origins] = {}
        self._guards: dict[tuple[str, str], Guards] = {}
        self._writer = wire.EntryWriter(transaction.now)

    def decide(self, ask: Ask) -> Verdict:
        """Decide one command, and note what follows from it."""
        known = self._known.get(ask.command_id)
        if known is not None and not ask.resumed:
            return _again(ask, known)
        change = self._change_of(ask)
        if change is None:
            return Verdict(APPLIED)
        if ask.command is None and ask.refusal is None:
            self._record(ask, change, catch_up(change.after, self._transaction.now))
            return Verdict(APPLIED)
        outcome = _kept_here(ask, self._outcome(ask, change))
        position = self._record(ask, change, outcome)
        return self._conclude(ask, outcome, position)

    def followers(self, ask: Ask) -> list[tuple[UUID, dict[str, Any]]]:
        """The commands that waited for this one, as they came; each is given once."""
        return self._loaded.waiting.pop(ask.command_id, [])

    def changes(self) -> list[Change]:
        """The accounts that differ from what was loaded, or whose next due instant may."""
        return [
            change
            for account_id, change in self._changes.items()
            # A row that says that something is due, when nothing is, must stop saying so.
            if change.after.version and (change.after is not change.before or self._loaded.stored[account_id].woken)
        ]

    def _change_of(self, ask: Ask) -> Change | None:
        change = self._changes.get(ask.account_id)
        if change is None:
            stored = self._loaded.stored[ask.account_id]
            before = stored.account()
            if before is None and ask.command is None and ask.refusal is None:
                return None
            after = before or unopened(ask.account_id, ask.tenant, ask.programme, ask.member_id)
            known_at = stored.known_at or self._transaction.now
            change = Change(before, after, stored.due_at, known_at, stored.position)
            self._changes[ask.account_id] = change
        return change

    def _outcome(self, ask: Ask, change: Change) -> Outcome:
        account = change.after
        if account.tenant != ask.tenant or account.programme != ask.programme:
            return Outcome(account, (), account_elsewhere(account.account_id))
        if ask.command is None:
            return Outcome(account, (), ask.refusal)
        if ask.needs.commands:
            came = self._known.keys() & ask.needs.commands
            account = replace(account, decided_commands=frozenset(came))
        command = ask.command
        if ask.decimals is not None:
            settled = in_smallest_unit(command, ask.decimals, account)
            if isinstance(settled, Refusal):
                return Outcome(account, (), settled)
            command = settled
        return handle(account, command, self._guards_of(ask.tenant, ask.programme), self._transaction.now)

    def _guards_of(self, tenant: str, programme: str) -> Guards:
        guards = self._guards.get((tenant, programme))
        if guards is None:
            guards = self._programmes.guards(tenant, programme, self._transaction.now)
            self._guards[tenant, programme] = guards
        return guards

    def _record(self, ask: Ask, change: Change, outcome: Outcome) -> int:
        """Append the events and what is projected from them; gives the position of the command's own last event."""
        own = self._transaction.head
        transaction, now, account = self._transaction, self._transaction.now, outcome.account
        if outcome.recorded:
            origins = self._origins.get(account.account_id)
            if origins is None:
                origins = self._origins[account.account_id] = Origins(change.after.lots)
            totals = self.records.totals.of(account.tenant, account.programme)
            for recorded in outcome.recorded:
                event = recorded.event
                if event.lots:
                    origins.learn(event)
                data = wire.data_of(account, recorded, now)
                entry = self._writer.entry(account, recorded, data, ask.message.key, ask.message.traceparent)
                change.position = transaction.append(entry)
                if event.command_id == ask.command_id:
                    own = change.position
                change.known_at = max(change.known_at, event.known_at)
                if recorded.balances:
                    self.records.entries += entry_rows(
                        event, recorded.balances, data, shard=transaction.shard, account_id=account.account_id,
                        version=recorded.version, position=change.position, known_at=change.known_at, now=now,
                    )  # fmt: skip
                if event.movements:
                    totals.add(event, origins)
        change.after = account
        for onward in outcome.onward:
            transaction.append(message_entry(account, onward, now, ask.message.traceparent))
        return own

    def _conclude(self, ask: Ask, outcome: Outcome, position: int) -> Verdict:
        """Keep the verdict, and tell of it where it is a refusal."""
        transaction = self._transaction
        answer = None
        if outcome.waiting is not None:
            kind, code = WAITING, None
            kept = Kept(outcome.waiting, ask.command_id, ask.account_id, ask.message.content)
            self.records.kept[ask.command_id] = kept
            waiting = self._loaded.waiting.setdefault(outcome.waiting, [])
            waiting.append((ask.command_id, ask.message.content))
        elif outcome.refusal is not None:
            kind, code = REFUSED, outcome.refusal.code
            position = transaction.append(
                wire.rejection_of(outcome.account, ask.command_id, outcome.refusal, _context(ask), transaction.now)
            )
            answer = refusal_of(outcome.refusal)
        else:
            kind, code = (APPLIED if outcome.redirect is None else REDIRECTED), None
            if ask.asked is not None:
                answer = answer_of(ask, outcome, transaction.head, transaction.now)
        known = Known(ask.command_id, ask.account_id, kind, code, ask.asked, answer)
        again = ask.command_id in self._loaded.known
        self._known[ask.command_id] = known
        self.records.decided[ask.command_id] = Decided(known, ask.message.type, position, again=again)
        if ask.resumed and kind != WAITING and self.records.kept.pop(ask.command_id, None) is None:
            self.records.resumed.append(ask.command_id)
        return Verdict(kind, code, None if answer is None else orjson.loads(answer))


def _kept_here(ask: Ask, outcome: Outcome) -> Outcome:
    """Refuse what an account that was taken up would pass on, where its caller waits for the answer."""
    if outcome.redirect is None or not isinstance(ask.message.payload, Request):
        return outcome
    return replace(outcome, refusal=account_merged(outcome.redirect), redirect=None, onward=outcome.onward[1:])


def _again(ask: Ask, known: Known) -> Verdict:
    """The verdict on a command that was decided before: the same, unless the same key now asks for something else."""
    if ask.asked is not None and known.request is not None and known.request != ask.asked:
        facts = {"first": orjson.loads(known.request), "second": orjson.loads(ask.asked)}
        return Verdict(CONFLICT, KEY_REUSED, facts)
    return Verdict(DUPLICATE, known.code, None if known.answer is None else orjson.loads(known.answer))


def _context(ask: Ask) -> dict[str, Any]:
    """What a rejection says of the command beside its refusal."""
    command = ask.command
    occurred_at = getattr(command, "occurred_at", None)
    context: dict[str, Any] = {"occurred_at": occurred_at if occurred_at is not None else ask.message.content["time"]}
    source = getattr(command, "source", None)
    if source is not None:
        context["source"] = source.__dict__
    decision_id = getattr(command, "decision_id", None)
    if decision_id is not None:
        context["decision_id"] = decision_id
    context["details"] = {"command": ask.message.type}
    if ask.asked is not None:
        context["details"]["asked"] = orjson.Fragment(ask.asked)
    return context
