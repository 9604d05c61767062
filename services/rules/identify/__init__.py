"""Identification: purchases, activities and enrolments are taken in, each once, and given to their account."""
