"""The books' application: their routes on the frame that every service has."""

from fastapi import FastAPI

from services.ledger.api import accounts, finance, holds, operations, redemptions, statements, transfers
from services.ledger.api.state import Parts
from services.ledger.settings import LedgerSettings
from services.runtime.health import Health
from services.runtime.http.application import create_app

TITLE = "Bonus ledger"
DESCRIPTION = "The books of loyalty programmes: balances, lots, statements; redemptions and holds."
VERSION = "1"


def create(settings: LedgerSettings, parts: Parts | None = None, health: Health | None = None) -> FastAPI:
    """Make the application; without `parts` it serves nothing but its documents."""
    app = create_app(TITLE, VERSION, settings, service="ledger", health=health, description=DESCRIPTION)
    app.state.parts = parts
    for module in (accounts, statements, redemptions, holds, transfers, operations, finance):
        app.include_router(module.router)
    return app
