"""Migrations: alembic, raw SQL, one branch a service.

Each service's branch lives in the folder of its name and keeps its version in its own schema. A revision is a pair of
files, `NNNN_name.up.sql` and `NNNN_name.down.sql` (any number of statements, table names unqualified), and beside them
`NNNN_name.py`, which is only this:

    from migrations import frame

    revision = "ledger_0001"
    down_revision = "ledger_0000"


    def upgrade() -> None:
        frame.run("ledger/0001_books.up.sql")


    def downgrade() -> None:
        frame.run("ledger/0001_books.down.sql")

The first revision of each branch, `<service>_0000`, holds the tables that the runtime needs in every schema.
Rights are granted in the SQL, to the role of the service: `bonus_ledger`, `bonus_rules`, `bonus_notifier`.
"""
