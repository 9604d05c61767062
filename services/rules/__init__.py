"""Rules: who is meant, what they get, and why."""
