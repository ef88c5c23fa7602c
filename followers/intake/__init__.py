"""`stockwire intake`: commands from a queue, each done once in the ledger, its answer on the broker.

    commands  --  command: what is to be sent  -->  window: its turn  -->  the ledger  --  answering  -->  results, dead
        ^                                                                                                     |
        +----------------- acknowledged when what became of it stands there, never before --------------------+

``source`` and ``id`` of a command are its Idempotency-Key: however often it is delivered, it is done once and answered
alike. On each level commands are done in the order of the queue, one at a time, and many levels side by side.

What decides knows no broker and no socket: ``command``, ``levels``, ``known``, ``answering``, ``result``, ``window``,
``progress`` (Kafka's offsets), ``in_order`` (NATS). ``applying`` sends what they say to the ledger. ``sources/`` has
one file for each kind of broker.
"""
