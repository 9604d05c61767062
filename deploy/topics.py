"""`bonus topics`: every topic of the contracts, with its dead-letter topic, made in a Kafka cluster."""

import asyncio
from datetime import timedelta
from typing import Annotated, Final

import typer

from contracts.topics import DEAD_LETTERS, TOPICS, Topic
from deploy.local.errors import TopicError
from deploy.local.topics import TopicSpecification, create_topics

COMPACTED: Final = {"cleanup.policy": "compact"}
DAY_MS: Final = 24 * 3_600_000

app = typer.Typer(help="Make Kafka's topics.")


@app.command()
def topics(
    bootstrap: Annotated[str, typer.Option(envvar="BONUS_KAFKA_BOOTSTRAP", help="host:port,host:port")],
    prefix: Annotated[str, typer.Option(envvar="BONUS_TOPIC_PREFIX", help="Put before every name.")] = "",
    replicas: Annotated[int, typer.Option(min=1, help="Brokers that hold each partition.")] = 1,
    retention_days: Annotated[
        int | None, typer.Option(min=1, help="How long messages are kept; as the cluster says if left out.")
    ] = None,
) -> None:
    """Make the topics that are not there; those that are stay as they are."""
    retention = timedelta(days=retention_days) if retention_days is not None else None
    try:
        made = asyncio.run(create_topics(bootstrap, specifications(prefix, replicas=replicas, retention=retention)))
    except TopicError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo(f"made {len(made)} topics" if made else "every topic is there")


def specifications(
    prefix: str = "", *, replicas: int = 1, retention: timedelta | None = None
) -> dict[str, TopicSpecification]:
    """What every topic is made with, by its full name."""
    return {
        prefix + topic.name: TopicSpecification(topic.partitions, _configuration(topic, retention), replicas)
        for topic in (*TOPICS, *DEAD_LETTERS)
    }


def _configuration(topic: Topic, retention: timedelta | None) -> dict[str, str]:
    if topic.compacted:
        return COMPACTED
    return {} if retention is None else {"retention.ms": str(retention.days * DAY_MS)}
