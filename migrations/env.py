"""Alembic's environment: it runs one branch on the connection that `migrations.command` opened."""

from alembic import context

configuration = context.config
connection = configuration.attributes["connection"]
service = configuration.attributes["service"]

context.configure(
    connection=connection,
    version_table="alembic_version",
    version_table_schema=service,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
