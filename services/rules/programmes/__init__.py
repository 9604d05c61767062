"""Programmes: their versions in the database, drafts and publication, and the copy that every process works with."""
