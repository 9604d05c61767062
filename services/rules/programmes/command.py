"""`bonus programme`: programme files on the way to publication and back, and programmes and decisions explained."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from contracts.envelope import DEFAULT_TENANT
from services.rules.decide.queries import DecisionRow, Decisions
from services.rules.domain.programme import ProgrammeVersion
from services.rules.explanation.words import Told
from services.rules.explanation.words import in_words as decision_in_words
from services.rules.privacy import KeysError, MasterKeys, Vault
from services.rules.programmes.differences import differences, in_words
from services.rules.programmes.live_command import Tenant, publish, resume, rollback, suspend, versions, with_database
from services.rules.programmes.queries import published_version, version_in_force
from services.rules.programmes.store import FaultyFileError, checked
from services.rules.programmes.support import unsupported
from services.rules.settings import RulesSettings
from services.rules.terms import as_html, as_markdown, for_staff, terms_of
from services.runtime.http.languages import Language, asked_for
from services.runtime.postgres import Pool
from services.runtime.writer import wall_clock

app = typer.Typer(
    no_args_is_help=True,
    help="Programme files: lint, diff, terms, explain; publish, rollback, suspend, resume.",
)
for command in (publish, rollback, suspend, resume, versions):
    app.command()(command)

File = Annotated[Path, typer.Argument(help="A programme file (YAML).", exists=True, dir_okay=False)]
Spoken = Annotated[str, typer.Option(help="pl, ru or en.")]


@app.command()
def lint(files: Annotated[list[Path], typer.Argument(help="Programme files.", exists=True, dir_okay=False)]) -> None:
    """Check files; every fault is named with line and column. Exit 1 if there is one."""
    faults = 0
    for file in files:
        try:
            version = checked(text_of(file))
        except FaultyFileError as error:
            faults += len(error.errors)
            for each in error.errors:
                typer.echo(f"{file}: {each}", err=True)
            continue
        typer.echo(f"{file}: programme {version.key}, {len(version.rules)} rules: good")
        for missing in unsupported(version):
            typer.echo(f"{file}: it cannot be published yet: {missing}")
    if faults:
        raise typer.Exit(1)


@app.command()
def diff(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="The file as it was and as it will be; one file alone is compared with the version in force.",
            exists=True,
            dir_okay=False,
        ),
    ],
    language: Spoken = "en",
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Say in words what changes for members, and what only the shop notices."""
    *before, after = map(draft_of, files)
    if len(before) > 1:
        raise typer.BadParameter("two files are compared, or one with the version in force")
    old = before[0] if before else _in_force(after.key, tenant)
    for sentence in in_words(differences(old, after, asked_for(language)), asked_for(language)):
        typer.echo(sentence)


@app.command()
def terms(
    file: File,
    language: Spoken = "en",
    html: Annotated[bool, typer.Option("--html", help="As a page for a browser; else Markdown.")] = False,
) -> None:
    """Write the terms for members: how they earn, what it is worth, when it counts and lapses, and the rest."""
    page = terms_of(draft_of(file), asked_for(language))
    typer.echo(as_html(page) if html else as_markdown(page), nl=False)


@app.command()
def explain(
    what: Annotated[str, typer.Argument(help="A programme file, or the id of a decision.")],
    language: Spoken = "en",
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Say what a programme does, to members and behind the counter; or what was decided, and why."""
    if Path(what).is_file():
        typer.echo(as_markdown(for_staff(draft_of(Path(what)), asked_for(language))), nl=False)
        return
    try:
        decision_id = UUID(what)
    except ValueError as error:
        raise typer.BadParameter(f"{what} is neither a file nor the id of a decision") from error
    text = with_database(lambda pool, settings: _decision(pool, settings, tenant, decision_id, asked_for(language)))
    if text is None:
        typer.echo("no such decision was taken", err=True)
        raise typer.Exit(1)
    typer.echo(text, nl=False)


async def _decision(
    pool: Pool, settings: RulesSettings, tenant: str, decision_id: UUID, language: Language
) -> str | None:
    found = await Decisions().find(pool, _vault(settings), tenant, decision_id)
    if found is None:
        return None
    version = None
    if found.version is not None:
        version = await published_version(pool, tenant, found.programme, found.version)
    return decision_in_words(_told(found), version, language)


def _told(row: DecisionRow) -> Told:
    return Told(row.number, row.kind, row.cause_id, row.occurred_at, row.programme, row.version, row.reason, row.record)


def _in_force(programme: str, tenant: str) -> ProgrammeVersion:
    found = with_database(lambda pool, _: version_in_force(pool, tenant, programme, wall_clock()))
    if found is None:
        raise typer.BadParameter(f"nothing of {programme} was published yet: name the file that it is compared with")
    return found


def draft_of(file: Path) -> ProgrammeVersion:
    """The draft that a file says; exit 1 with every fault if it has any."""
    try:
        return checked(text_of(file))
    except FaultyFileError as error:
        for each in error.errors:
            typer.echo(f"{file}: {each}", err=True)
        raise typer.Exit(1) from error


def text_of(file: Path) -> str:
    """What a file holds."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{file} is not text in UTF-8") from error


def _vault(settings: RulesSettings) -> Vault:
    try:
        return Vault(MasterKeys.parse(settings.master_keys))
    except KeysError as error:
        raise typer.BadParameter(f"BONUS_MASTER_KEYS: {error}") from error
