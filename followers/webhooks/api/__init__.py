"""Endpoints over HTTP: made, changed, tested, looked at, sent once more: ``wire/channels-openapi.yaml``."""
