"""Rehearsal: a programme on the recorded purchases of any period, in the background, in parts, beside the live work."""
