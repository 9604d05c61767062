"""Who can be told and how, programmes as members read them, and every message with what became of it."""

from migrations import frame

revision = "notifier_0001"
down_revision = "notifier_0000"


def upgrade() -> None:
    """Make the tables."""
    frame.run("notifier/0001_notifier.up.sql")


def downgrade() -> None:
    """Drop the tables."""
    frame.run("notifier/0001_notifier.down.sql")
