"""Mail that is refused, deferred, lost on the way, or sent by two: on a real database and a mail system in process."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from contracts.shards import shard_of
from services.notifier.contact import Contact

ACCRUED = "bonus.points.accrued.v1.pending"
LEASE = timedelta(seconds=600)


async def member_with_mail(notifier: Any, email: str = "zofia@example.com") -> UUID:
    """A member for whom one message waits."""
    member = uuid4()
    await notifier.contacts.put("default", member, Contact(email))
    await notifier.take(notifier.event(ACCRUED, member))
    return member


async def test_a_refused_address_bounces_and_is_not_used_again(notifier: Any) -> None:
    """The refusal is recorded and published; only a new address makes the member reachable."""
    notifier.sink.replies["zofia@example.com"] = "550 5.1.1 no such mailbox"
    member = await member_with_mail(notifier)
    await notifier.sender().send_due()
    assert await notifier.states(member) == [("points-accrued", "bounced", 1, "550")]
    assert await notifier.published(member) == [("bonus.notification.bounced.v1", "550")]
    verdicts = await notifier.take(notifier.event(ACCRUED, member))
    assert [verdict.code for verdict in verdicts] == ["undeliverable"]
    await notifier.contacts.put("default", member, Contact("zofia.new@example.com"))
    await notifier.take(notifier.event(ACCRUED, member))
    await notifier.sender().send_due()
    assert [mail["To"] for mail in notifier.sink.received()] == ["zofia.new@example.com"]


async def test_a_deferred_mail_is_tried_again_later_and_given_up_in_the_end(notifier: Any) -> None:
    """Pauses of 60 and 120 seconds, then failed, with three attempts."""
    notifier.sink.replies["zofia@example.com"] = "451 4.7.1 greylisted"
    member = await member_with_mail(notifier)
    sender = notifier.sender(send_attempts_max=3)
    tried = []
    for pause_s in (0, 59, 1, 119, 1, 86_400):
        notifier.clock.forward(timedelta(seconds=pause_s))
        tried.append(await sender.send_due())
    assert tried == [1, 0, 1, 0, 1, 0]
    assert await notifier.states(member) == [("points-accrued", "failed", 3, "451")]
    assert await notifier.published(member) == [("bonus.notification.failed.v1", "451")]


async def test_a_deferred_mail_arrives_once_the_mail_system_takes_it(notifier: Any) -> None:
    """Greylisting, as many mail systems do it."""
    notifier.sink.replies["zofia@example.com"] = "451 4.7.1 greylisted"
    member = await member_with_mail(notifier)
    await notifier.sender().send_due()
    notifier.sink.replies.clear()
    notifier.clock.forward(timedelta(seconds=60))
    await notifier.sender().send_due()
    assert await notifier.states(member) == [("points-accrued", "sent", 2, "")]
    assert len(notifier.sink.received()) == 1


async def test_a_mail_system_that_is_away_costs_no_attempt(notifier: Any) -> None:
    """However long it lasts, nothing is given up."""
    member = await member_with_mail(notifier)
    nobody_listens = notifier.sender(smtp_port=1, send_attempts_max=1)
    for _ in range(3):
        assert await nobody_listens.send_due() == 1
        notifier.clock.forward(timedelta(seconds=60))
    assert await notifier.states(member) == [("points-accrued", "waiting", 0, "unreachable")]
    await notifier.sender().send_due()
    assert await notifier.states(member) == [("points-accrued", "sent", 1, "")]


async def test_a_mail_whose_sender_died_is_sent_again_under_the_same_message_id(notifier: Any) -> None:
    """Claimed, perhaps even sent, and never recorded: after the lease another sender takes it."""
    member = await member_with_mail(notifier)
    shard = shard_of(str(member))
    lost = notifier.sender()
    (claim,) = await notifier.deliveries.claim(shard, 10, LEASE)
    resolved = [await lost._send(shard, claim)]
    assert await notifier.sender().send_due() == 0
    notifier.clock.forward(LEASE)
    assert await notifier.sender().send_due() == 1
    first, second = notifier.sink.received()
    assert first["Message-ID"] == second["Message-ID"] == f"<{claim.delivery.delivery_id}.{shard}@shop.example>"
    assert await notifier.deliveries.resolve(shard, resolved) == 0
    assert await notifier.states(member) == [("points-accrued", "sent", 2, "")]
    assert await notifier.published(member) == [("bonus.notification.delivered.v1", "")]


async def test_a_late_result_is_not_recorded_over_another_senders_claim(notifier: Any) -> None:
    """The first sender speaks up while the second one sends: the claim that stands is the second one's."""
    member = await member_with_mail(notifier)
    shard = shard_of(str(member))
    sender = notifier.sender()
    (first,) = await notifier.deliveries.claim(shard, 10, LEASE)
    notifier.clock.forward(LEASE)
    (second,) = await notifier.deliveries.claim(shard, 10, LEASE)
    late, timely = [await sender._send(shard, claim) for claim in (first, second)]
    assert await notifier.deliveries.resolve(shard, [late]) == 0
    assert await notifier.states(member) == [("points-accrued", "sending", 2, "")]
    assert await notifier.deliveries.resolve(shard, [timely]) == 1
    assert await notifier.published(member) == [("bonus.notification.delivered.v1", "")]


async def test_two_senders_share_the_work(notifier: Any) -> None:
    """Two hundred mails over two senders at once: each is sent once."""
    members = [await member_with_mail(notifier, f"member{number}@example.com") for number in range(200)]
    senders = [notifier.sender(send_batch=3) for _ in range(2)]
    while sum(await asyncio.gather(*(sender.send_due() for sender in senders))):
        pass
    assert sorted(mail["To"] for mail in notifier.sink.received()) == sorted(
        f"member{number}@example.com" for number in range(len(members))
    )


async def test_a_member_whose_contacts_went_is_not_written_to(notifier: Any) -> None:
    """What is known when the mail goes out counts, not what was known when it was made."""
    member = await member_with_mail(notifier)
    await notifier.contacts.remove("default", member)
    await notifier.sender().send_due()
    assert await notifier.states(member) == [("points-accrued", "cancelled", 1, "no_contact")]
    assert notifier.sink.received() == []


async def test_facts_that_this_release_cannot_write_wait_for_another(notifier: Any) -> None:
    """A delivery made by a newer release is deferred, and nothing half written is sent."""
    member = await member_with_mail(notifier)
    await notifier.pool.execute("update delivery set facts = '{}'")
    await notifier.sender().send_due()
    assert await notifier.states(member) == [("points-accrued", "waiting", 1, "rendering_failed")]
    assert notifier.sink.received() == []


async def test_the_sender_goes_on_after_the_database_was_away(notifier: Any) -> None:
    """A fault of the world ends no sender: it waits and tries again."""
    member = await member_with_mail(notifier)
    sender = notifier.sender(retry_first_ms=10, retry_max_ms=20)
    await notifier.pool.execute("update delivery set due_at = now() + interval '1 second'")
    running = asyncio.create_task(sender.run())
    for holder in list(notifier.pool._holders):
        if holder._con is not None and not holder._in_use:
            holder._con.terminate()
    notifier.clock.forward(timedelta(days=400))
    assert await asyncio.to_thread(notifier.sink.wait_for, bool)
    sender.stop()
    await running
    assert await notifier.states(member) == [("points-accrued", "sent", 1, "")]
