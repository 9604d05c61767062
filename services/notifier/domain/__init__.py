"""Pure decisions: which event makes which message, for whom, and what follows from an attempt to send it."""
