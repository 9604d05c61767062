"""Events become messages once each, for members who want them; on a real database and a mail system in process."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from contracts.shards import shard_of
from services.notifier.contact import Contact
from services.notifier.handlers.contacts import MemberErasedError
from services.runtime import replay
from services.runtime.dead_letters import DeadLetter
from services.runtime.messages import Message
from services.runtime.sealing import Sealing
from services.runtime.shard import Verdict

ZOFIA = Contact("zofia@example.com", "Zofia")
ACCRUED = "bonus.points.accrued.v1.pending"


async def test_accrued_points_reach_the_member_by_mail(notifier: Any) -> None:
    """From the event of the books to the mail as it arrives: whom it is to, what it says, in his language."""
    member = uuid4()
    await notifier.contacts.put("default", member, ZOFIA)
    await notifier.contacts.put_preferences(
        "default", member, language="ru", email_allowed=True, muted=frozenset({"tier"})
    )
    programme = notifier.event("bonus.programme.published.v1.names")
    programme["data"]["programme"] = "grocer"
    assert await notifier.take(
        programme,
        notifier.event(ACCRUED, member, "accrued-1"),
        notifier.event("bonus.tier.changed.v1.upgrade", member),
    ) == [Verdict("applied"), Verdict("applied"), Verdict("ignored", "muted")]
    assert await notifier.sender().send_due() == 1
    (mail,) = notifier.sink.received()
    assert mail["To"] == "Zofia <zofia@example.com>"
    assert mail["From"] == "Клуб трёх уровней <bonus@shop.example>"
    assert mail["Subject"].replace("\u00a0", " ") == "Вам начислено: 0,40 баллов"
    text = mail.get_body(("plain",)).get_content()
    assert "можно будет потратить с 19\u00a0марта 2026" in text
    assert "<html" in mail.get_body(("html",)).get_content()
    assert await notifier.states(member) == [("points-accrued", "sent", 1, "")]
    assert await notifier.published(member) == [("bonus.notification.delivered.v1", "")]
    assert await notifier.sender().send_due() == 0


async def test_D1_an_event_that_comes_ten_times_makes_one_message(notifier: Any) -> None:
    """In one batch and in others; also after it was sent."""
    member = uuid4()
    await notifier.contacts.put("default", member, ZOFIA)
    event = notifier.event(ACCRUED, member)
    first = await notifier.take(*[event] * 5)
    assert first.count(Verdict("applied")) >= 1
    await notifier.sender().send_due()
    assert await notifier.take(*[event] * 5) == [Verdict("duplicate")] * 5
    await notifier.sender().send_due()
    assert await notifier.states(member) == [("points-accrued", "sent", 1, "")]
    assert len(notifier.sink.received()) == 1


async def test_members_without_contacts_leave_nothing(notifier: Any) -> None:
    """Nobody to tell: no record, no query but one, nothing in the log."""
    events = [notifier.event(ACCRUED, uuid4()) for _ in range(50)]
    assert await notifier.take(*events) == [Verdict("ignored", "no_contact")] * 50
    assert await notifier.pool.fetchval("select count(*) from delivery") == 0
    assert await notifier.pool.fetchval("select count(*) from event") == 0


async def test_a_batch_costs_the_same_statements_however_long_it_is(notifier: Any) -> None:
    """Set-wise: the accounts as they stand, one look for the recipients, one insert of the messages."""
    shard = 7
    members: list[UUID] = []
    while len(members) < 40:
        member = uuid4()
        if shard_of(str(member)) == shard:
            members.append(member)
            await notifier.contacts.put("default", member, ZOFIA)
    statements: list[str] = []

    async def count(number: int) -> int:
        statements.clear()
        messages = [notifier.decoded(notifier.event(ACCRUED, member)) for member in members[:number]]
        async with notifier.writer.gate.transaction(shard) as transaction:
            with transaction.connection.query_logger(lambda record: statements.append(record.query)):
                await notifier.writer.processor.process(transaction, messages)
        return len(statements)

    # The first statements on a connection make the driver ask for types.
    await count(1)
    assert [await count(1), await count(40)] == [3, 3]


async def test_history_is_taken_in_and_told_to_nobody(notifier: Any) -> None:
    """What counts at a time before the limit is no news, even for a member who could be told."""
    member = uuid4()
    await notifier.contacts.put("default", member, ZOFIA)
    old = notifier.event(ACCRUED, member)
    old["data"]["effective_at"] = (notifier.clock() - timedelta(hours=24, seconds=1)).isoformat()
    recent = notifier.event(ACCRUED, member)
    recent["data"]["effective_at"] = (notifier.clock() - timedelta(hours=24)).isoformat()
    assert await notifier.take(old, recent) == [Verdict("ignored", "too_old"), Verdict("applied")]
    wants = notifier.writer.processor.wants
    assert [wants(event["type"], event) for event in (old, recent)] == [False, True]


async def test_what_is_not_wanted_is_known_before_it_is_validated(notifier: Any) -> None:
    """Types that tell nothing are passed over; what is odd is not: it is judged where it is validated."""
    wants = notifier.writer.processor.wants
    erased = notifier.event("bonus.member.erased.v1.on-request", uuid4())
    erased["data"]["effective_at"] = "2001-01-01T00:00:00Z"
    odd = notifier.event(ACCRUED) | {"data": {"effective_at": "yesterday"}}
    assert [
        wants("bonus.standing.noted.v1", notifier.event("bonus.standing.noted.v1.progress")),
        wants(erased["type"], erased),
        wants(odd["type"], odd),
        wants(odd["type"], {}),
        wants(odd["type"], {"data": {"effective_at": 7}}),
    ] == [False, True, True, True, True]


async def test_contact_data_is_unreadable_in_the_database(notifier: Any) -> None:
    """Neither the address nor the name stands anywhere in the rows, and another member's key opens nothing."""
    member = uuid4()
    await notifier.contacts.put("default", member, ZOFIA)
    row = await notifier.pool.fetchrow("select * from recipient where member_id = $1", member)
    assert b"zofia" not in bytes(row["contact"]).lower()
    recipient, contact = await notifier.contacts.find("default", member)
    assert (contact, recipient.decides.has_contact) == (ZOFIA, True)
    assert await notifier.contacts.find("other", member) == (None, None)


async def test_A6_an_erased_member_is_forgotten_for_ever(notifier: Any) -> None:
    """Contact data cannot be read again, even from a copy; what waited is not sent; nothing new can be kept."""
    member = uuid4()
    await notifier.contacts.put("default", member, ZOFIA)
    await notifier.take(notifier.event(ACCRUED, member))
    copy = await notifier.pool.fetchrow("select * from recipient where member_id = $1", member)
    erasure = notifier.event("bonus.member.erased.v1.on-request", member)
    later = notifier.event(ACCRUED, member)
    assert await notifier.take(later, erasure) == [Verdict("ignored", "no_contact"), Verdict("applied")]
    assert await notifier.take(erasure) == [Verdict("applied")]
    assert await notifier.sender().send_due() == 0
    assert notifier.sink.received() == []
    assert await notifier.states(member) == [("points-accrued", "cancelled", 0, "member_erased")]
    with pytest.raises(MemberErasedError):
        await notifier.contacts.find("default", member)
    for attempt in (
        notifier.contacts.put("default", member, ZOFIA),
        notifier.contacts.put_preferences("default", member, language=None, email_allowed=True, muted=frozenset()),
    ):
        with pytest.raises(MemberErasedError):
            await attempt
    wrapped = await notifier.pool.fetch("select wrapped from data_key")
    assert [row["wrapped"] for row in wrapped] == [None]
    assert copy is not None


async def test_A6_what_was_set_aside_about_a_member_goes_too(notifier: Any) -> None:
    """Under his key, as his contact data: of another tenant's member of the same id it can still be read."""
    member = uuid4()
    letters = []
    for offset, tenant in enumerate(("default", "other")):
        content = {"tenant": tenant, "data": {"member_id": str(member), "name": "Zofia"}}
        message = Message(
            type="x", id="1", source="urn:x", tenant=tenant, content=content, body=json.dumps(content).encode(),
            key=str(member), topic="t", partition=0, offset=offset,
        )  # fmt: skip
        letters.append(DeadLetter(message, "odd", "this is odd"))
    await notifier.writer.set_aside(letters)
    await notifier.take(notifier.event("bonus.member.erased.v1.on-request", member))
    sealing = Sealing(notifier.vault)
    shown = [await replay.show([notifier.pool], each.id_for("notifier"), sealing) for each in letters]
    assert [letter["body"] for _, letter in shown] == [None, letters[1].message.body]


async def test_A6_a_member_who_was_never_known_stays_unknown(notifier: Any) -> None:
    """Erased before anything was kept: nothing can be kept afterwards."""
    member = uuid4()
    await notifier.take(notifier.event("bonus.member.erased.v1.on-request", member))
    with pytest.raises(MemberErasedError):
        await notifier.contacts.put("default", member, ZOFIA)


async def test_an_older_state_of_a_programme_changes_nothing(notifier: Any) -> None:
    """The newest revision stands, in whatever order and however often they come."""
    older, newer = (notifier.event("bonus.programme.published.v1.names") for _ in range(2))
    for event, revision, name in ((older, 1, "Old"), (newer, 2, "New")):
        event["data"]["revision"] = revision
        event["data"]["versions"][0]["name"] = {"en": name}
    await notifier.take(newer, older)
    await notifier.take(older)
    words = await notifier.programmes.words("default", "bronze-silver-gold")
    assert words.name("en") == "New"


async def test_the_service_acts_in_its_own_role(notifier: Any) -> None:
    """It reads and writes its own tables, and no other service's."""
    assert await notifier.pool.fetchval("select current_user") == "bonus_notifier"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await notifier.pool.fetchval("delete from delivery")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await notifier.pool.fetchval("select count(*) from ledger.event")
