"""The API of marketplaces: channels, listings, mapping, and what goes out."""
