"""The notifier over HTTP: contact data, preferences, what was told, templates to look at."""

from importlib.metadata import version

from fastapi import FastAPI

from services.notifier.api import confirmations, contacts, deliveries, pages, templates
from services.notifier.api.state import Parts
from services.notifier.settings import NotifierSettings
from services.runtime.health import Health
from services.runtime.http.application import create_app


def application(settings: NotifierSettings, parts: Parts | None = None, health: Health | None = None) -> FastAPI:
    """The application; without `parts` it describes itself and answers nothing else."""
    app = create_app(
        "Bonus notifier",
        version("bonus-ledger"),
        settings,
        service="notifier",
        health=health,
        description="Contact data and preferences of members, and what was told to them.",
    )
    app.state.parts = parts
    for module in (contacts, deliveries, templates, confirmations, pages):
        app.include_router(module.router)
    return app


def openapi_app() -> FastAPI:
    """The application to take the OpenAPI document from: it needs neither a database nor a broker."""
    return application(NotifierSettings())
