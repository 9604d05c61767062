"""Where identification asks for a programme; the store of programmes answers."""

from typing import Protocol

from services.rules.domain.membership import MembershipTerms


class ProgrammeCatalogue(Protocol):
    """Programmes by tenant and name. Asked once per programme and batch, so an answer may come from memory."""

    async def find(self, tenant: str, programme: str) -> MembershipTerms | None:
        """The terms of a published programme. None only when the store itself, asked now, knows of none such."""
        ...
