"""Quotes: what rules knows of the books."""

from migrations import frame

revision = "rules_0003"
down_revision = "rules_0002"


def upgrade() -> None:
    """Make the tables."""
    frame.run("rules/0003_quotes.up.sql")
    frame.grant(
        "rules",
        {
            "known_account": "select, insert, update",
            "known_lot": "select, insert, update, delete",
        },
    )


def downgrade() -> None:
    """Drop the tables."""
    frame.run("rules/0003_quotes.down.sql")
