"""Explaining decisions: as data for programs, and in words that somebody on the telephone can read out."""
