"""The books over HTTP: queries, and commands that a till or an operator waits for."""

from fastapi import FastAPI

from services.ledger.api.application import create
from services.ledger.settings import LedgerSettings


def openapi_app() -> FastAPI:
    """Make the application to take the OpenAPI document from: it needs neither a database nor a broker."""
    return create(LedgerSettings())
