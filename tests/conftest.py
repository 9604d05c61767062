"""What integration tests stand on: real PostgreSQL and Kafka, a database of its own for each test, topics likewise.

Where the two servers come from is decided once, in `deploy.local.provision`, and said in the header of the run.
"""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import hypothesis
import psutil
import pytest

from deploy.local import provision
from deploy.local.provision import Origins, Parts
from deploy.local.topics import TopicSpecification, create_topics, delete_topics

# How fast examples are drawn and run says how busy the machine is, and nothing about the code.
hypothesis.settings.register_profile("here", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("here")

ORIGINS = pytest.StashKey[Origins]()
# Any number will do, as long as all test runs on one server use the same.
TEMPLATE_LOCK = 7_305_012

MakeTopics = Callable[[Mapping[str, int | TopicSpecification]], Awaitable[dict[str, str]]]


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ORIGINS] = provision.decide(os.environ)


def pytest_report_header(config: pytest.Config) -> str:
    return str(config.stash[ORIGINS])


@pytest.fixture(scope="session")
def parts(pytestconfig: pytest.Config) -> Iterator[Parts]:
    """PostgreSQL and Kafka, running."""
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    capture = pytestconfig.pluginmanager.get_plugin("capturemanager")

    def say(line: str) -> None:
        if reporter is not None and capture is not None:
            with capture.global_and_fixture_disabled():
                reporter.write_line(f"[stack] {line}")

    with provision.provided(pytestconfig.stash[ORIGINS], os.environ, say) as running:
        yield running


@pytest.fixture(scope="session")
def postgres_admin_dsn(parts: Parts) -> str:
    """The address of a superuser: tests make databases and roles with it."""
    return parts.postgres_dsn


@pytest.fixture(scope="session")
def kafka_bootstrap(parts: Parts) -> str:
    """Where Kafka clients start from."""
    return parts.kafka_bootstrap


@pytest.fixture(scope="session")
async def database_template(pytestconfig: pytest.Config, postgres_admin_dsn: str) -> AsyncIterator[str]:
    """The name of a database with every migration applied, made once for this run."""
    name = f"test_{os.getpid()}_template"
    admin = await asyncpg.connect(postgres_admin_dsn)
    try:
        if pytestconfig.stash[ORIGINS].postgres == "local":
            await _drop_leftovers(admin)
        # Migrations make roles, which belong to the whole server: two runs at once would both make them.
        await admin.execute("select pg_advisory_lock($1)", TEMPLATE_LOCK)
        try:
            await admin.execute(f'create database "{name}"')
            await _migrate(with_database(postgres_admin_dsn, name))
        finally:
            await admin.execute("select pg_advisory_unlock($1)", TEMPLATE_LOCK)
        yield name
        await admin.execute(f'drop database if exists "{name}" with (force)')
    finally:
        await admin.close()


@pytest.fixture
async def database(postgres_admin_dsn: str, database_template: str) -> AsyncIterator[str]:
    """The address of a fresh, migrated database that no other test sees."""
    name = f"test_{os.getpid()}_{uuid.uuid4().hex[:12]}"
    admin = await asyncpg.connect(postgres_admin_dsn)
    try:
        await admin.execute(f'create database "{name}" template "{database_template}" strategy wal_log')
        yield with_database(postgres_admin_dsn, name)
        await admin.execute(f'drop database if exists "{name}" with (force)')
    finally:
        await admin.close()


@pytest.fixture
def topic_namespace() -> str:
    """A prefix for topics and consumer groups that no other test uses; services take it as `BONUS_TOPIC_PREFIX`."""
    return f"t{uuid.uuid4().hex[:12]}."


@pytest.fixture
async def kafka_topics(kafka_bootstrap: str, topic_namespace: str) -> AsyncIterator[MakeTopics]:
    """A function that makes topics in this test's namespace: names with partitions in, full names out."""
    made: list[str] = []

    async def make(topics: Mapping[str, int | TopicSpecification]) -> dict[str, str]:
        names = {name: topic_namespace + name for name in topics}
        wanted = {
            names[name]: TopicSpecification(wish) if isinstance(wish, int) else wish for name, wish in topics.items()
        }
        made.extend(await create_topics(kafka_bootstrap, wanted))
        return names

    yield make
    await delete_topics(kafka_bootstrap, made)


def with_database(dsn: str, name: str) -> str:
    """Give the same address with another database."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


async def _migrate(dsn: str) -> None:
    # Imported here: runs without a database do not need alembic.
    from migrations.command import upgrade  # noqa: PLC0415

    # Alembic runs an event loop of its own.
    await asyncio.to_thread(upgrade, dsn)


async def _drop_leftovers(admin: asyncpg.Connection) -> None:
    # A run that was killed left its databases; its process id stands in their names.
    rows = await admin.fetch("select datname from pg_database where datname ~ '^test_[0-9]+_'")
    for row in rows:
        name = row["datname"]
        if not psutil.pid_exists(int(name.split("_")[1])):
            await admin.execute(f'drop database if exists "{name}" with (force)')
