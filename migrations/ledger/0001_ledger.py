"""The books: accounts with their lots, holds and redemptions, and what is projected from the log for queries."""

from migrations import frame

revision = "ledger_0001"
down_revision = "ledger_0000"


def upgrade() -> None:
    """Make the tables."""
    frame.run("ledger/0001_ledger.up.sql")
    frame.grant(
        "ledger",
        {
            "movement": "select, insert, update",
            "waiting": "select, insert, delete",
            "account": "select, insert, update",
            "balance": "select, insert, update",
            "lot": "select, insert, update",
            "hold": "select, insert, update",
            "redemption": "select, insert, update",
            "transit": "select, insert, update, delete",
            "entry": "select, insert",
            "daily_total": "select, insert, update",
            "programme": "select, insert, update",
        },
    )


def downgrade() -> None:
    """Drop the tables."""
    frame.run("ledger/0001_ledger.down.sql")
