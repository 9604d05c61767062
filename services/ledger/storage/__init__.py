"""How the state of accounts is kept: read set-wise for the commands of a transaction, written set-wise after them."""

from collections.abc import Mapping
from typing import Final

from services.runtime.postgres import statements

SQL: Final = statements(__package__)

SESSION: Final[Mapping[str, str]] = {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}
"""How the books' sessions plan: once for each statement, and by index, whatever the tables hold just then.

Every statement here finds its rows by a key. Planned anew for each set of parameters, `load` costs four times as much;
planned while a table was nearly empty, it would read the whole of it long after.
"""
