"""How the state of accounts is kept: read set-wise for the commands of a transaction, written set-wise after them."""

from typing import Final

from services.runtime.postgres import statements

SQL: Final = statements(__package__)
