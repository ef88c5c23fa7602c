"""What every process of ours is built from, around the pure contract in ``wire``. Knows neither ledger nor hub.

Rooms, each of which imports only those before it: ``settings``; ``broker``, ``rates``, ``tls``, ``tokens``; ``http``.
Beside them ``problems`` (what is refused, pure), ``metrics``, and ``process`` (log, signals, the ready line).
"""
