"""What rules decide: pure functions and values, no input or output."""
