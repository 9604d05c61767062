"""Deciding: the participant aggregate's worker, its storage, what it tells the ledger, and what the ledger answers."""
