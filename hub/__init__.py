"""The fan-out nodes: levels in memory, kept in step by the broker and the log, written to whoever watches them.

Decisions are pure and take the time as an argument (``sequence``, ``shards``, ``order``, ``levels``, ``resume``,
``subscription``, ``session``, ``fanout``, ``conversation``); around them stand thin shells (``broker``, ``ledger``,
``feed``, ``loader``, ``stream``, ``read_api``, ``event_stream``, ``admin``, ``access``). Never imports ``ledger``.
"""
