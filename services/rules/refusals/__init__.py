"""Messages that were refused: put down for ever, and listed for the operators."""

from services.rules.refusals.refused import Refused
from services.rules.refusals.storage import add

__all__ = ["Refused", "add"]
