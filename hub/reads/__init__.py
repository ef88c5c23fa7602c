"""The read port: levels over HTTP from this hub's memory, and as an event stream.

Guarantees that every answer says how fresh it is. It may import the entry, and never the stream port."""
