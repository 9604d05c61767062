"""What is asked of the books: read at one instant, what is due by then included, whether it was written down or not."""

from typing import Final

from services.runtime.postgres import statements

SQL: Final = statements(__package__)
