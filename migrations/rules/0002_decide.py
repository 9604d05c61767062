"""Decisions: participants, what was decided on them, verdicts of the ledger, and the versions of programmes."""

from migrations import frame

revision = "rules_0002"
down_revision = "rules_0001"


def upgrade() -> None:
    """Make the tables."""
    frame.run("rules/0002_decide.up.sql")
    frame.grant(
        "rules",
        {
            "participant": "select, insert, update",
            "decision": "select, insert",
            "command_verdict": "select, insert",
            "waiting_receipt": "select, insert, delete",
            "budget_ask": "select, insert, update",
            "budget": "select, insert, update",
            "budget_grant": "select, insert",
            "programme": "select, insert, update",
            "programme_version": "select, insert, update, delete",
        },
    )


def downgrade() -> None:
    """Drop the tables."""
    frame.run("rules/0002_decide.down.sql")
