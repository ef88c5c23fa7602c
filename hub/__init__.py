"""The fan-out nodes: levels in memory, kept in step by the broker and the log, written to whoever watches them.

Decisions are pure and take the time as an argument. What is held of the stock knows nothing of who watches it
(``sequence``, ``shards``, ``order``, ``held``, ``shelf``, ``levels``, ``views``); what is owed to whom is built on it
(``resume``, ``cursor``, ``subscription``, ``session``, ``delivery``, ``fanout``), and what a client says on that
(``conversation``). Around them stand thin shells (``broker``, ``ledger``, ``feed``, ``loader``, ``connections``,
``stream``, ``read_api``, ``event_stream``, ``admin``, ``access``). Never imports ``ledger``.
"""
