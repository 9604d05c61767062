"""Ways to reach a member."""
