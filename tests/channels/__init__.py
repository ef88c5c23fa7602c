"""Marketplaces that cannot be reached from a test, as strict servers: one process each, which refuses whatever its
vendor documents that it refuses, sells by itself, and keeps what it holds to be true."""
