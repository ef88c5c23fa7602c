"""`stockwire exporter`: audits the log while it sells, and tells of the skus that sell fastest.

What it guarantees: every event behind where it began is judged once, in the order of its shard, by what its level was
before (``auditing``); every level's row is compared with its last event, again and again (``comparing``); the newest
events of every shard are read a second time, from the database. What was changed further back in the log is for
`stockwire doctor --audit`. It keeps nothing outside of its memory, which is bounded, and asks the ledger at paces
that do not grow with what is sold (``following``).
"""
