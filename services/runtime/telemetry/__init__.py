"""What can be seen of a running process: metrics, traces, logs. Nothing personal in any of them."""
