"""Programmes to copy, and the demonstration that runs one of them on a year of real purchases."""
