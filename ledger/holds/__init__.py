"""What becomes of holds: units of an order that are reserved until they are paid for, leave, or are let go of.

``decide`` is pure and says what each request does; it is decided with its batch, in ``ledger.commit``. ``sweeper`` lets
go of holds whose time is over.
"""
