"""The broker (Redis, or what speaks as it does): where it is."""
