"""Enrolling many members at once, from a file of another system."""
