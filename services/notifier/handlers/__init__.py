"""What the notifier does with what it is told: the statements, and the modules that run them."""

from services.runtime.postgres import statements

SQL = statements(__package__)
