"""The console: one process that watches everything once, and shows it to any number of people.

It follows the ledger's log and one hub like any customer, reads the metrics of all processes once a second, and keeps
what it saw, bounded. Viewers are served from there: how many there are makes no difference to ledger and hubs.
"""
