"""The fan-out nodes: levels in memory, kept in step by the broker and the log, written to whoever watches them.

Decisions are pure and take the time as an argument. Rooms in order, each of which imports only those before it:
``stock`` (what is held, which knows nothing of who watches it), ``fanout`` (what is owed to whom), ``feed`` (in step
with the ledger), ``entry`` (who may come in), ``protocols`` (what a client says), then ``stream`` and ``reads``, the
two ports. Never imports ``ledger``.
"""
