"""The books: append-only, exact, provable."""
