"""Identification and the purchase index: identifiers, purchases and returns that were taken in, and refusals."""

from migrations import frame

revision = "rules_0001"
down_revision = "rules_0000"


def upgrade() -> None:
    """Make the tables."""
    frame.run("rules/0001_identify.up.sql")
    frame.grant(
        "rules",
        {
            "holding": "select, insert, update, delete",
            "purchase": "select, insert, update",
            "activity": "select, insert, update",
            "kept": "select, insert, delete",
            "refusal": "select, insert",
            "purchase_index": "select, insert, update",
            "purchase_return": "select, insert, update, delete",
        },
    )


def downgrade() -> None:
    """Drop the tables."""
    frame.run("rules/0001_identify.down.sql")
