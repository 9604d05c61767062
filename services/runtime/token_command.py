"""`bonus token`: issue a bearer token with the private key of this installation."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from services.runtime import tokens

DAY_S = 24 * 3600
LIFETIME_S_MAX = 365 * DAY_S

app = typer.Typer(help="Issue a bearer token.")


@app.command()
def token(
    private_key_file: Annotated[
        Path,
        typer.Option(
            "--key",
            envvar="BONUS_TOKEN_PRIVATE_KEY_FILE",
            exists=True,
            dir_okay=False,
            help='The Ed25519 private key in PEM; eval "$(bonus local env)" sets it.',
        ),
    ],
    tenant: Annotated[str, typer.Option(help="The tenant that the caller belongs to.")] = "default",
    scopes: Annotated[str, typer.Option(help="What the caller may do, separated by spaces.")] = " ".join(tokens.SCOPES),
    subject: Annotated[str, typer.Option(help="Who calls; stands in audit records.")] = "operator",
    lifetime: Annotated[
        int, typer.Option(min=1, max=LIFETIME_S_MAX, help="How long the token is good, in seconds.")
    ] = DAY_S,
) -> None:
    """Print a token for the services' APIs: curl -H "Authorization: Bearer $(bonus token)"."""
    unknown = sorted(set(scopes.split()) - set(tokens.SCOPES))
    if unknown:
        known = ", ".join(tokens.SCOPES)
        raise typer.BadParameter(f"no such scope: {', '.join(unknown)}; there are {known}", param_hint="--scopes")
    try:
        issued = tokens.issue(
            private_key_file.read_bytes(),
            subject=subject,
            tenant=tenant,
            scopes=scopes.split(),
            now=datetime.now(UTC),
            lifetime_s=lifetime,
        )
    except (ValueError, TypeError) as error:
        raise typer.BadParameter(str(error), param_hint="--key") from error
    typer.echo(issued)
