"""`bonus contracts`: check one's own JSON, and keep the generated documents in step with the models."""

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from contracts import manifest
from contracts.documents import DIRECTORY, SAMPLES, documents
from contracts.validation import Finding, check

Documents = Callable[[], Mapping[str, bytes]]
"""Gives generated documents: bytes by their path under `contracts/`."""


def application(*sources: Documents) -> typer.Typer:
    """The command for these sources of documents."""
    command = typer.Typer(no_args_is_help=True, help="Check messages, and keep the contracts' documents in step.")
    command.command("validate")(validate)

    @command.command("write")
    def _write() -> None:
        """Generate the documents anew, and enter new samples into the manifest."""
        for name in write(DIRECTORY, gather(sources)):
            typer.echo(f"wrote contracts/{name}")

    @command.command("check")
    def _check() -> None:
        """Exit 1 if a document differs from the models, or a published sample was changed or removed."""
        problems = drift(DIRECTORY, gather(sources))
        for problem in problems:
            typer.echo(problem, err=True)
        if problems:
            typer.echo("run: bonus contracts write", err=True)
            raise typer.Exit(1)
        typer.echo("the documents agree with the models")

    return command


def validate(file: Annotated[str, typer.Argument(help="A file of events, or - for standard input")]) -> None:
    """Check events: one, an array, or one a line. Names each wrong field; exit 1 if there is any."""
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}") from error
    good: Counter[str] = Counter()
    bad = 0
    for finding in check(content):
        if finding.problems:
            bad += 1
            _report(file, finding)
        else:
            good[str(finding.type)] += 1
    for name, number in good.items():
        typer.echo(f"{number} valid {name}")
    if bad:
        typer.echo(f"{bad} not valid", err=True)
    if not bad and not good:
        typer.echo(f"{file} holds no events", err=True)
    if bad or not good:
        raise typer.Exit(1)


def _report(file: str, finding: Finding) -> None:
    for problem in finding.problems:
        typer.echo(f"{file}, {finding.place}: {problem.field}: {problem.message} [{problem.code}]", err=True)


def gather(sources: tuple[Documents, ...]) -> dict[str, bytes]:
    """All documents of all sources."""
    return {name: content for source in sources for name, content in source().items()}


def write(directory: Path, generated: Mapping[str, bytes]) -> list[str]:
    """Write what differs under `directory`, remove what nothing generates any more; the paths touched."""
    touched = []
    for name, content in generated.items():
        file = directory / name
        if not file.exists() or file.read_bytes() != content:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            touched.append(name)
    for name in _left_over(directory, generated):
        (directory / name).unlink()
        touched.append(name)
    samples = directory / SAMPLES.name
    published = manifest.read(samples)
    present = manifest.digests(samples)
    if present.keys() - published.keys():
        (samples / manifest.NAME).write_bytes(manifest.extended(published, present))
        touched.append(f"{SAMPLES.name}/{manifest.NAME}")
    return touched


def drift(directory: Path, generated: Mapping[str, bytes]) -> list[str]:
    """How the documents under `directory` differ from what is generated, and what was done to samples, in words."""
    problems = []
    for name, content in generated.items():
        file = directory / name
        if not file.exists():
            problems.append(f"contracts/{name} is missing")
        elif file.read_bytes() != content:
            problems.append(f"contracts/{name} differs from what the code says")
    problems += [f"contracts/{name} belongs to nothing any more" for name in _left_over(directory, generated)]
    samples = directory / SAMPLES.name
    published = manifest.read(samples)
    present = manifest.digests(samples)
    problems += [f"contracts/samples/{name} is not in the manifest" for name in sorted(present.keys() - published)]
    return problems + manifest.violations(published, present)


def _left_over(directory: Path, generated: Mapping[str, bytes]) -> list[str]:
    """Files in generated folders that nothing generates."""
    folders = {Path(name).parent for name in generated}
    present = {file.relative_to(directory).as_posix() for folder in folders for file in (directory / folder).glob("*")}
    return sorted(present - generated.keys())


app = application(documents)
