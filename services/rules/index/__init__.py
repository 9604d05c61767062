"""The purchase index: whose a purchase is, and what came back of it."""
