"""The source of truth: stock changes are decided, committed in PostgreSQL with an event each, and told to the broker.

It never imports ``hub``. Its rooms in order, each of which imports only those before it: ``database``, ``access``,
``feed``, ``commit``, ``http``; beside them what they stand on (errors, limits, settings) and what puts them together.
"""
