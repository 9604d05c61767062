"""Proof that outlives the database: checkpoints to go on from, and anchors that betray a log written anew."""

import json
from hashlib import sha256
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from contracts.shards import SHARDS
from services.ledger.command import app
from services.ledger.proof import anchors
from services.ledger.proof.signatures import StatementRefusedError, checker_of, signer_of
from services.ledger.proof.snapshots import open_snapshot
from services.ledger.verify.plan import Limits, Plan
from services.runtime.tokens import new_key_pair
from tests.integration.ledger.conftest import NOW, Api, Books, Member, accrual, reversal
from tests.integration.ledger.proof import Proof, unguarded


@pytest.fixture
def proof(database: str, keys: tuple[Path, Path], tmp_path: Path) -> Proof:
    """Proof of the test's database."""
    return Proof(database, tmp_path, signer_of(keys[0]), checker_of(keys[1]))


async def test_verification_goes_on_from_a_checkpoint(filled: Member, books: Books, api: Api, proof: Proof) -> None:
    """Only what was booked since is read again; a checkpoint on top of it is the same as one from the beginning."""
    whole = await proof.write("first")
    since = proof.open("first")
    nothing_new = await proof.verify(Plan(since=since))
    assert (nothing_new.differences, nothing_new.events, nothing_new.accounts) == ([], 0, whole.accounts)
    await books.take(accrual(filled, "p3", 9_00), reversal(filled, "p1", 2_00), accrual(Member(), "new", 1_00))
    await api.redeem(filled, "5.00")
    later = await proof.write("second", Plan(Limits(lots_at_once=2, rows_at_once=3), since))
    assert (later.events, later.accounts) == (5, whole.accounts + 1)
    at_once = await proof.write("third", Plan(Limits(lots_at_once=2, rows_at_once=3)))
    assert later.heads == at_once.heads
    lines = [[sorted(proof.open(name).lines(shard)) for shard in range(SHARDS)] for name in ("second", "third")]
    assert lines[0] == lines[1]


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("update event set body = body || ' ' where position = $1", "broken_hash event"),
        ("update balance set available = available + 1, issued = issued + 1", "altered balance"),
        ("update lot set expires_at = now()", "altered lot"),
        ("update daily_total set points = points + 1", "altered daily_total"),
        ("update entry set available = 5 where position = $1", "altered entry"),
        ("update event set hash = sha256(hash) where position = $1 - 2", "rewritten event"),
    ],
)
async def test_what_is_altered_behind_a_checkpoint_is_named(  # noqa: PLR0913, PLR0917 - fixtures, statement and outcome
    filled: Member, books: Books, proof: Proof, superuser: asyncpg.Connection, statement: str, named: str
) -> None:
    """State and totals are compared whole, the log and its lines from the checkpoint on, and the hash it stands on."""
    await proof.write("first")
    await books.take(accrual(filled, "p3", 9_00), accrual(filled, "p4", 9_00))
    await unguarded(superuser)
    head = await superuser.fetchval("select head from shard where shard = $1", filled.shard)
    await superuser.execute(statement.replace("$1", str(head)))
    report = await proof.verify(Plan(since=proof.open("first")))
    assert named in report.counts, report.differences


async def test_a_log_written_anew_is_betrayed_by_an_anchor(
    filled: Member, proof: Proof, superuser: asyncpg.Connection
) -> None:
    """Someone who may do anything computes the whole chain anew: it proves itself, but is not what was signed."""
    file = proof.directory / "anchors.jsonl"
    anchors.append(file, await anchors.read_heads(superuser), NOW, proof.signer)
    anchored = anchors.anchored_in(file.read_bytes().splitlines(), proof.checker)
    assert (await proof.verify(Plan(anchored=anchored))).differences == []
    await unguarded(superuser)
    digest = bytes(32)
    rows = await superuser.fetch("select position, body from event where shard = $1 order by position", filled.shard)
    for row in rows:
        body = row["body"].replace(b"krakow-12", b"krakow-13")
        digest = sha256(digest + body).digest()
        await superuser.execute(
            "update event set body = $3, hash = $4 where shard = $1 and position = $2",
            filled.shard, row["position"], body, digest,
        )  # fmt: skip
    await superuser.execute("update shard set hash = $2 where shard = $1", filled.shard, digest)
    await superuser.execute(
        "update entry set why = replace(why::text, 'krakow-12', 'krakow-13')::json where shard = $1", filled.shard
    )
    assert (await proof.verify(Plan())).differences == []
    assert dict((await proof.verify(Plan(anchored=anchored))).counts) == {"rewritten event": 1}


async def test_a_shortened_log_ends_before_its_anchor(
    filled: Member, proof: Proof, superuser: asyncpg.Connection
) -> None:
    """Whoever removes the newest events and all that follows from them cannot remove them from the anchor."""
    head = await superuser.fetchrow("select head, hash from shard where shard = $1", filled.shard)
    anchored = {filled.shard: {head["head"] + 3: {bytes(32)}}}
    assert dict((await proof.verify(Plan(anchored=anchored))).counts) == {"beyond_the_log anchor": 1}


async def test_statements_are_refused_unless_they_are_as_they_were_signed(filled: Member, proof: Proof) -> None:
    """A changed word, a changed file, another key, another kind: each is refused, with its reason."""
    await proof.write("one")
    manifest = proof.directory / "one" / "manifest.json"
    signed = manifest.read_bytes()
    manifest.write_bytes(signed.replace(b'"position":0', b'"position":1', 1))
    with pytest.raises(StatementRefusedError, match="not what was signed"):
        proof.open("one")
    manifest.write_bytes(signed)
    with (proof.directory / "one" / f"state-{filled.shard:02d}.jsonl.gz").open("ab") as state:
        state.write(b" ")
    with pytest.raises(StatementRefusedError, match="not the file that was signed"):
        await proof.verify(Plan(since=proof.open("one")))
    (proof.directory / "other.pem").write_bytes(new_key_pair()[1])
    with pytest.raises(StatementRefusedError, match="signed with the key"):
        open_snapshot(proof.directory / "one", checker_of(proof.directory / "other.pem"))
    with pytest.raises(StatementRefusedError, match=r"line 1: it is a bonus\.ledger\.checkpoint"):
        anchors.anchored_in([signed], proof.checker)


def test_the_commands_work_together(database: str, keys: tuple[Path, Path], tmp_path: Path) -> None:
    """Keys, anchors, checkpoints and what goes on from them; without a key exit 2, and nothing is written."""
    environment = {"BONUS_POSTGRES_DSN": database, "BONUS_KAFKA_BOOTSTRAP": ""}

    def bonus(*arguments: str) -> Result:
        return CliRunner().invoke(app, arguments, env=environment)

    file, directory = tmp_path / "anchors.jsonl", tmp_path / "checkpoint"
    assert bonus("anchor", "--file", str(file)).exit_code == 2
    assert not file.exists()
    environment["BONUS_LEDGER_PROOF_PRIVATE_KEY_FILE"], environment["BONUS_LEDGER_PROOF_PUBLIC_KEY_FILE"] = map(
        str, keys
    )
    assert [bonus("anchor", "--file", str(file)).exit_code for _ in range(2)] == [0, 0]
    assert len(file.read_text().splitlines()) == 2
    first = bonus("verify", "--processes", "1", "--checkpoint", str(directory), "--anchor", str(file), "--json")
    assert (first.exit_code, json.loads(first.stdout)["ok"]) == (0, True)
    assert bonus("verify", "--processes", "2", "--since", str(directory)).exit_code == 0
    assert bonus("verify", "--checkpoint", str(directory)).exit_code == 2
    made = bonus("proof-key", str(tmp_path / "new"))
    assert (made.exit_code, (tmp_path / "new" / "proof_key.pem").stat().st_mode & 0o077) == (0, 0)
    assert bonus("proof-key", str(tmp_path / "new")).exit_code == 2
    environment["BONUS_LEDGER_PROOF_PUBLIC_KEY_FILE"] = str(tmp_path / "new" / "proof_key.pub.pem")
    assert bonus("verify", "--since", str(directory)).exit_code == 2
