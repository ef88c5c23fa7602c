"""Vendure, a shop of one's own: https://docs.vendure.io."""
