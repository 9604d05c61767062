"""What the runtime needs in every service's schema: shards and their log, offsets, dead letters, idempotency keys."""

from migrations import frame

revision = "notifier_0000"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    frame.runtime_up("notifier", append_only=False)


def downgrade() -> None:
    """Drop the tables."""
    frame.runtime_down(append_only=False)
