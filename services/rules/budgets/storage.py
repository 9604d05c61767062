"""The statements of budgets: their homes, and the asks of accounts."""

from services.runtime.postgres import statements

SQL = statements(__package__)
