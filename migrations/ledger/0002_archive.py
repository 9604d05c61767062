"""The log in partitions small enough to be archived one by one, and the record of those that were."""

from migrations import frame

revision = "ledger_0002"
down_revision = "ledger_0001"


def upgrade() -> None:
    """Lay out the partitions, make the table."""
    frame.run("ledger/0002_archive.up.sql")
    # Written by whoever owns the tables; the service only reads it.
    frame.grant("ledger", {"archive": "select"})


def downgrade() -> None:
    """Go back to one partition."""
    frame.run("ledger/0002_archive.down.sql")
