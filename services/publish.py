"""`bonus publish`: send one's own events to Kafka, as a till or a web shop does, each under its topic and key."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from contracts.catalogue import TOPIC_OF_TYPE
from contracts.envelope import STRUCTURED_CONTENT_TYPE
from contracts.topics import ACTIVITIES, PURCHASES, REDEMPTIONS, RETURNS
from contracts.validation import Finding, check

RETAIL_TOPICS: Final = frozenset({topic.name for topic in (PURCHASES, RETURNS, ACTIVITIES, REDEMPTIONS)})
"""What others than the services publish to."""

_HEADERS: Final = [("content-type", STRUCTURED_CONTENT_TYPE)]

Event = dict[str, Any]

app = typer.Typer(help="Send your own events to Kafka.")


@app.command()
def publish(
    file: Annotated[str, typer.Argument(help="A file of events, or - for standard input")],
    bootstrap: Annotated[str, typer.Option(envvar="BONUS_KAFKA_BOOTSTRAP", help="host:port,host:port")],
    prefix: Annotated[str, typer.Option(envvar="BONUS_TOPIC_PREFIX", help="Put before the name of every topic.")] = "",
) -> None:
    """Publish events: one, an array, or one a line. All are checked first; nothing is sent if one is not valid."""
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}") from error
    findings = list(check(content))
    problems = [line for finding in findings for line in _problems(finding)]
    if problems or not findings:
        typer.echo("\n".join(problems) or f"{file} holds no events", err=True)
        raise typer.Exit(1)
    try:
        asyncio.run(_send(list(_events(content)), bootstrap, prefix))
    except (KafkaError, OSError) as error:
        typer.echo(f"Kafka at {bootstrap} did not take it: {error}", err=True)
        raise typer.Exit(1) from error


def key_of(event: Event) -> str:
    """The key of a valid retail event, in the text that every producer must use: it decides order and shard."""
    data = event["data"]
    topic = TOPIC_OF_TYPE[event["type"]]
    if topic == RETURNS.name:
        return str(data["purchase_id"])
    if topic == REDEMPTIONS.name:
        return str(data["account_id"])
    member = data["identifiers"][0] if "identifiers" in data else data.get("member")
    # A purchase that nobody's card was shown for goes by its own id.
    return f"{member['type']}:{member['value']}" if member else str(data["purchase_id"])


def _problems(finding: Finding) -> Iterator[str]:
    for problem in finding.problems:
        yield f"{finding.place}: {problem.field}: {problem.message} [{problem.code}]"
    if not finding.problems and TOPIC_OF_TYPE[str(finding.type)] not in RETAIL_TOPICS:
        yield f"{finding.place}: $.type: {finding.type} is published by the services alone [not_retail]"


def _events(content: bytes) -> Iterator[Event]:
    """The events of a file that was found valid."""
    try:
        whole = orjson.loads(content)
    except orjson.JSONDecodeError:
        whole = [orjson.loads(line) for line in content.splitlines() if line.strip()]
    yield from whole if isinstance(whole, list) else [whole]


async def _send(events: list[Event], bootstrap: str, prefix: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True)
    await producer.start()
    try:
        for event in events:
            topic, key = prefix + TOPIC_OF_TYPE[event["type"]], key_of(event)
            sent = await producer.send_and_wait(topic, orjson.dumps(event), key=key.encode(), headers=_HEADERS)
            typer.echo(f"{event['type']} {event['id']}: {topic}, partition {sent.partition}, offset {sent.offset}")
    finally:
        await producer.stop()
