"""Reading the ledger's log over HTTP: pages of a shard, positions, epochs, back-pressure."""
