"""Whoever follows the log of a ledger from outside, over HTTP as any customer: webhooks, marketplaces, the exporter.

Imports neither ledger nor hub. Its tables are a schema of their own, ``stockwire_channels``; the exporter has none.
"""
