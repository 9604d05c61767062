"""`bonus contracts` with everything: the documents of the messages, and those of the services' HTTP interfaces.

The OpenAPI documents are generated here, because contracts import no service. A service offers its application for
this as `services.<service>.api:openapi_app()`, which needs neither a database nor a broker.
"""

import importlib
import importlib.util
from collections.abc import Callable
from typing import Final

from fastapi import FastAPI

from contracts.command import application
from contracts.documents import documents, encode

SERVICES: Final = ("ledger", "rules", "notifier")


def openapi() -> dict[str, bytes]:
    """The OpenAPI 3.1 document of each service that has an HTTP interface, by its path under `contracts/`."""
    applications = {service: _application(service) for service in SERVICES}
    return {f"openapi/{name}.json": encode(found().openapi()) for name, found in applications.items() if found}


def _application(service: str) -> Callable[[], FastAPI] | None:
    """What makes the service's application; None where the service is not installed or has no interface."""
    names = (f"services.{service}", f"services.{service}.api")
    if any(importlib.util.find_spec(name) is None for name in names):
        return None
    return getattr(importlib.import_module(names[-1]), "openapi_app", None)


app = application(documents, openapi)
