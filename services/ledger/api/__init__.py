"""The books over HTTP: queries, and commands that a till or an operator waits for."""
