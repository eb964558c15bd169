"""The relay: WebSocket clients get a snapshot, then every change (`ludorelay.v1`, design 8).

Reading order: `session` (one client, pure) · `room` (one game, pure) · `hub`, `keeper`, `reader`,
`audit` (what awaits for them) · `driver` and `routes` (Litestar).
"""
