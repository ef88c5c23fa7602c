"""Traces of what a process does, as OpenTelemetry has them: off unless ``OTEL_...`` names where they go.

Whether something is traced is decided before anything is made for it (``sampling``), and what is not traced costs a
look at a header and a number drawn. A span is made when what it tells is over (``span``), and handed to a queue that is
bounded and drops (``exporting``), so that nobody waits for a collector. Names stand in ``names``. Only ``exporting``
knows the libraries, which are an extra: requirements-tracing.txt.
"""
