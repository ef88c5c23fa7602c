"""Orders of channels: each is taken in once, whatever becomes of its notices, and booked once at the ledger."""
