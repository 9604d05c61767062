"""Rules over HTTP; status codes are chosen here and nowhere else."""

from importlib.metadata import version

from fastapi import FastAPI

from services.rules.api import (
    activities,
    budgets,
    claims,
    decisions,
    dry_runs,
    households,
    members,
    merges,
    programmes,
    progress,
    purchases,
    quotes,
    refusals,
    rehearsals,
    returns,
    terms,
)
from services.rules.api.state import Parts
from services.rules.settings import RulesSettings
from services.runtime.health import Health
from services.runtime.http.application import create_app


def application(settings: RulesSettings, parts: Parts | None = None, health: Health | None = None) -> FastAPI:
    """The application; without `parts` it describes itself and answers nothing else."""
    app = create_app(
        "Bonus rules",
        version("bonus-ledger"),
        settings,
        service="rules",
        health=health,
        description="Purchases and returns in, members and their identifiers, programmes, decisions and quotes.",
    )
    app.state.parts = parts
    modules = (
        purchases, returns, activities, members, claims, households, merges, refusals, programmes, terms, budgets,
        decisions, quotes, dry_runs, rehearsals, progress,
    )  # fmt: skip
    for module in modules:
        app.include_router(module.router)
    return app


def openapi_app() -> FastAPI:
    """The application to take the OpenAPI document from: it needs neither a database nor a broker."""
    return application(RulesSettings())
