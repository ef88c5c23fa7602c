"""Settings from the environment: the one reader, its error, and what addresses and database URLs mean.

A setting that makes no sense refuses to start, with a line that names it and says the fix.
"""
