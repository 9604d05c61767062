"""Quotes: what is known of the books for them, and all that one stands on, read in one go."""
