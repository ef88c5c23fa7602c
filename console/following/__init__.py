"""Following the ledger, a hub and all processes' metrics: the one watcher for all viewers."""
