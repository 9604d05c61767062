"""What tests of the books' proof share: a place outside of the database, and someone who may do anything within."""

from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg

from contracts.shards import SHARDS
from services.ledger.proof.signatures import Checker, Signer
from services.ledger.proof.snapshots import Snapshot, open_snapshot, write_manifest
from services.ledger.verify.plan import Plan
from services.ledger.verify.report import Report
from services.ledger.verify.run import verify_shards
from tests.integration.ledger.conftest import NOW


@dataclass(frozen=True)
class Proof:
    """What is kept outside of the database: a directory, and the keys of what is in it."""

    database: str
    directory: Path
    signer: Signer
    checker: Checker

    async def verify(self, plan: Plan | None = None) -> Report:
        """Verify every shard."""
        return await verify_shards(self.database, range(SHARDS), plan or Plan())

    async def write(self, name: str, plan: Plan | None = None) -> Report:
        """Verify, and write a checkpoint."""
        directory = self.directory / name
        directory.mkdir()
        report = await self.verify(replace(plan or Plan(), write_to=directory))
        assert report.differences == []
        write_manifest(directory, report.heads, report.files, NOW, self.signer)
        return report

    def open(self, name: str) -> Snapshot:
        """A checkpoint."""
        return open_snapshot(self.directory / name, self.checker)


async def unguarded(superuser: asyncpg.Connection) -> None:
    """Switch off what guards the log."""
    tables = await superuser.fetch(
        "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'event'::regclass"
    )
    for name in ("event", *(row["name"] for row in tables)):
        await superuser.execute(f"alter table {name} disable trigger all")
