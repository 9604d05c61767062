"""How a service runs: one worker loop, one log, one relay, HTTP around the same writer. Knows no points."""
