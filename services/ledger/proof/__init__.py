"""What outlives the database: signed statements of where the log stood, and of the state that followed from it.

An anchor says which hash each shard's log ended with. A checkpoint adds the state of every account at that place, so
that verification goes on from there. An archive adds the events themselves.
"""

from typing import Final

from services.runtime.postgres import statements

SQL: Final = statements(__package__)
