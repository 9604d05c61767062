"""Values: dataclasses that nothing changes once they are made.

To the type checker they are frozen. At run time the guard against assignment is left out: with it a line of a basket
takes five times as long to build, and a decision builds fifty values.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:
    from dataclasses import dataclass

    def value(*, frozen: bool, **options: Any) -> Any:  # noqa: ANN401, ARG001  # the type checker sees `dataclass` itself
        """A dataclass, hashable as a frozen one is."""
        return dataclass(unsafe_hash=True, **options)


__all__ = ["value"]
