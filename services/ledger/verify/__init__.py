"""The books prove themselves: everything that stands beside the log is derived from it anew, and compared.

What is checked: positions without gaps; each hash over the one before it and the stored bytes; the columns beside those
bytes; every account, balance, lot, hold, redemption and transfer against a replay of its events; every statement line,
total of a day and verdict; heads, relayed positions and waiting commands. Whatever differs is named.
"""

from typing import Final

from services.runtime.postgres import statements

SQL: Final = statements(__package__)
