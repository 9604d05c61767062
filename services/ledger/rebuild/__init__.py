"""State and projections, made anew from the log beside the live ones while writing goes on, compared and put right.

Each shard is replayed at one instant into tables of this session alone. What differs there is swapped in small steps,
each under the shard's row: what was booked meanwhile is replayed first, so that what is written is what the log says
at that moment. Readers see the rows from before a step or from after it, and wait for nothing.
"""

from typing import Final

from services.runtime.postgres import statements

SQL: Final = statements(__package__)
