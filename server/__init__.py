"""What every process of ours is built from, around the pure contract in ``wire``. Knows neither ledger nor hub.

Rooms: ``http``, ``tls``, ``tokens``, ``rates``, ``settings``, ``broker``. Each knows only those that it needs, never in
a circle.
"""
