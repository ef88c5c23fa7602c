"""Migrations over a million levels and five million events, beside the sales."""
