"""What queries read beside the state: lines of statements, totals of days. Written with the events, never later."""
