"""HTTP around a service: problems, callers, idempotency keys, cursors, limits, probes.

What API modules need: `application.create_app`, `problems.Problem`, `security.Caller` and `security.require`,
`idempotency.IdempotencyKey`, `pages`, `conditional`.
"""
