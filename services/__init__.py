"""The three services, and the runtime that each of them runs on."""
