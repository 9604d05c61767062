"""Budgets: the home of each campaign grants what is asked of it, and the account makes awards of what was granted."""
