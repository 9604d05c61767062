"""A shard's accounts in parts, so that no more of them are in memory at once than there is room for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """Accounts whose id, by its last two bytes, leaves `number` when divided by `parts`."""

    number: int
    parts: int

    def has(self, account_id: str | None) -> bool:
        """Whether an account belongs to it; the runtime's own entries belong to none."""
        if account_id is None:
            return False
        return self.parts == 1 or int(account_id[-4:], 16) % self.parts == self.number
