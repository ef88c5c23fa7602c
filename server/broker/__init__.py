"""The broker (Redis, or what speaks as it does): where it is.

Guarantees that a URL has only parameters that every client of ours honours."""
