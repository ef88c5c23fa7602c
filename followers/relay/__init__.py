"""`stockwire relay`: every change of stock on a broker, in order, none missing, none twice.

    the log   -- a page of one shard -->   planning: a batch   -- written whole, with its checkpoint -->   the sink
       ^                                                                                                      |
       +------------------------ resuming: where to go on <-- the checkpoint that stands there ---------------+

It follows ``GET /v1/events`` with a key of its own, and keeps nothing: the checkpoint stands in the sink, written with
the changes that it covers. Any number of relays may run: ``standing_by`` says when one takes a shard over, and the sink
refuses whoever wrote before.

Decided without I/O: ``planning``, ``resuming``, ``standing_by``; of what brokers need ``standing`` (the last message as
a checkpoint), ``routes`` and ``amqp_message``. ``sinks/`` has one file for each kind of broker.
"""
