"""Old partitions of the log put away: exported with the state that follows from them, signed, then dropped.

Nothing of the proof is lost: an archive holds the bytes that were hashed, the snapshot at its end is where verification
goes on, and both are signed. Balances, statements and totals stay in the database.
"""

from typing import Final

from services.runtime.postgres import statements

SQL: Final = statements(__package__)
