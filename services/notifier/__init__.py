"""Telling members what happened on their accounts, and remembering what was told."""
