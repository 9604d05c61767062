"""Rehearsals of programmes on recorded purchases."""

from migrations import frame

revision = "rules_0004"
down_revision = "rules_0003"


def upgrade() -> None:
    """Make the tables."""
    frame.run("rules/0004_rehearsal.up.sql")
    frame.grant(
        "rules",
        {
            "rehearsal": "select, insert, update, delete",
            "rehearsal_part": "select, insert, update, delete",
        },
    )


def downgrade() -> None:
    """Drop the tables."""
    frame.run("rules/0004_rehearsal.down.sql")
