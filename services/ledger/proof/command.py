"""`bonus ledger anchor|proof-key`: what is proved is kept elsewhere."""

from pathlib import Path
from typing import Annotated, Final

import typer
import uvloop

from services.ledger.proof import anchors, topic
from services.ledger.proof.keys import signer_from
from services.ledger.proof.refusing import refusing
from services.ledger.settings import LedgerSettings
from services.ledger.verify.reading import with_database
from services.runtime.tokens import new_key_pair
from services.runtime.writer import wall_clock

PRIVATE_MODE: Final = 0o600

app = typer.Typer()


@app.command()
def anchor(
    *,
    file: Annotated[Path | None, typer.Option("--file", help="Add the anchor to this file, as a line.")] = None,
    to_topic: Annotated[bool, typer.Option("--topic", help="Publish it to Kafka: BONUS_LEDGER_PROOF_TOPIC.")] = False,
) -> None:
    """Sign what the log of every shard ends with, so that a chain that was written anew is seen; to the output too."""
    settings = LedgerSettings()
    with refusing():
        signer = signer_from(settings)
        heads = uvloop.run(with_database(settings.postgres_dsn, anchors.read_heads))
        at = wall_clock()
        line = signer.sign(anchors.anchor_of(heads, at)) if file is None else anchors.append(file, heads, at, signer)
        if to_topic:
            uvloop.run(topic.publish(settings, line))
    typer.echo(line.decode())


@app.command("proof-key")
def proof_key(directory: Annotated[Path, typer.Argument(help="Where proof_key.pem and proof_key.pub.pem go.")]) -> None:
    """Make a key pair that signs anchors, checkpoints and archives; what is there already is left alone."""
    private, public = new_key_pair()
    files = (directory / "proof_key.pem", directory / "proof_key.pub.pem")
    with refusing():
        directory.mkdir(parents=True, exist_ok=True)
        for path, content in zip(files, (private, public), strict=True):
            path.touch(mode=PRIVATE_MODE if path is files[0] else 0o644, exist_ok=False)
            path.write_bytes(content)
    for path in files:
        typer.echo(str(path))
