"""Under whose key the books keep what they set aside: that of the account, which goes when its member is erased."""

from uuid import UUID

from contracts.ids import derive
from services.runtime.messages import Message


def subject_of(tenant: str, account_id: UUID) -> UUID:
    """The subject of an account. With its tenant, so that nobody can have another's forgotten."""
    return derive("account", tenant, account_id)


def subject_in(message: Message) -> UUID | None:
    """The subject of a message, by the account that it names, as far as it can be read."""
    data = message.content.get("data") if isinstance(message.content, dict) else None
    account_id = data.get("account_id") if isinstance(data, dict) else None
    try:
        return subject_of(str(message.tenant), UUID(account_id)) if isinstance(account_id, str) else None
    except ValueError:
        return None
