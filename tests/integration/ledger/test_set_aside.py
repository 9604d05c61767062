"""What the books set aside of a member goes with the member."""

from uuid import UUID, uuid4

import orjson

from services.ledger.processor import LOG_COLUMNS, LedgerProcessor
from services.runtime import replay
from services.runtime.dead_letters import DeadLetter
from services.runtime.messages import Message
from services.runtime.privacy import new_key
from services.runtime.sealing import Sealing
from services.runtime.writer import ShardWriter
from tests.integration.ledger.conftest import NOW, Books, Member, cloud_event


async def test_A6_dead_letters_of_an_erased_member_are_unreadable_for_ever(books: Books, member: Member) -> None:
    """In whatever shard they were kept, before the account was opened too; others' stay, another tenant's too."""
    keys = f"test:{new_key()}"
    settings = books.settings.model_copy(update={"master_keys": keys})
    processor = LedgerProcessor(books.programmes)
    writer = ShardWriter(books.pool, processor, settings=settings, clock=books.clock, log_columns=LOG_COLUMNS)
    own, elsewhere = _letter(member, 0), _letter(member, (member.shard + 1) % 64, key="")
    others = [_letter(Member(), 0), _letter(member, 1, tenant="other"), _letter(None, 2)]
    await writer.set_aside([own, elsewhere, *others])
    everything = [own, elsewhere, *others]
    assert await _bodies(books, keys, everything) == [each.message.body for each in everything]
    erased = {
        "account_id": str(member.account), "member_id": str(member.member_id), "programme": member.programme,
        "effective_at": NOW.isoformat(),
    }  # fmt: skip
    await books.take(cloud_event("bonus.member.erased.v1", erased))
    later = _letter(member, 3)
    await writer.set_aside([later])
    kept = [*others, later]
    assert await _bodies(books, keys, [own, elsewhere]) == [None, None]
    assert await _bodies(books, keys, kept) == [each.message.body for each in kept]
    # What came later can no more be told to be the member's: it has a key of its own.
    row = await books.pool.fetchrow(
        "select subject, dead_letter_id from dead_letter where dead_letter_id = $1", later.id_for("ledger")
    )
    assert row["subject"] == row["dead_letter_id"]


def _letter(member: Member | None, partition: int, *, key: str | None = None, tenant: str = "default") -> DeadLetter:
    """A message that names the account, or (None) nobody; `key` empty: nobody could say whose it was."""
    account = "" if member is None else str(member.account)
    content = {"tenant": tenant, "data": {"account_id": account, "note": str(uuid4())}}
    message = Message(
        type="x", id="1", source="urn:x", tenant=tenant, content=content, body=orjson.dumps(content), topic="t",
        key=account if key is None else key, partition=partition, offset=uuid4().int % 1_000_000,
        record_key=account.encode(),
    )  # fmt: skip
    return DeadLetter(message, "odd", "this is odd")


async def _bodies(books: Books, keys: str, letters: list[DeadLetter]) -> list[bytes | None]:
    sealing = Sealing.of(keys)
    found = [await replay.show([books.pool], _id(letter), sealing) for letter in letters]
    return [letter["body"] for _, letter in found]


def _id(letter: DeadLetter) -> UUID:
    return letter.id_for("ledger")
