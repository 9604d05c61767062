"""What the routes stand on, as the process made it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security

from services.notifier.handlers.confirmations import Confirmations
from services.notifier.handlers.contacts import Contacts
from services.notifier.handlers.deliveries import Deliveries
from services.notifier.handlers.pages import Pages
from services.notifier.links import Links
from services.notifier.programmes import Programmes
from services.runtime.http.security import Caller, require


@dataclass(frozen=True, slots=True)
class Parts:
    """The notifier's parts for its routes."""

    contacts: Contacts
    deliveries: Deliveries
    programmes: Programmes
    links: Links
    pages: Pages
    confirmations: Confirmations


def parts_of(request: Request) -> Parts:
    """The parts of this process."""
    parts: Parts = request.app.state.parts
    return parts


FromParts = Annotated[Parts, Depends(parts_of)]
Reader = Annotated[Caller, Security(require("notifier:read"))]
Writer = Annotated[Caller, Security(require("notifier:write"))]
