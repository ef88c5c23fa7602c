"""What a process with ``STOCKWIRE_LOG=json`` has written to standard error."""

import json
from typing import Any

from server.log import LINE_BYTES_MAX
from tests.harness.servers import Server

HEAD = ["time", "level", "logger", "event", "fields"]


def log_lines(server: Server) -> list[dict[str, Any]]:
    """Raises AssertionError for a line that is no object of the log, such as one of a traceback. What has no line feed
    yet is being written."""
    *lines, _ = server.stderr().split("\n")
    return [_object_of(line, server) for line in lines]


def events(server: Server) -> set[str]:
    return {line["event"] for line in log_lines(server)}


def _object_of(line: str, server: Server) -> dict[str, Any]:
    assert len(line.encode()) <= LINE_BYTES_MAX
    try:
        found = json.loads(line)
    except ValueError:
        raise AssertionError(f"{server.name} wrote a line that is no JSON: {line!r}") from None
    assert isinstance(found, dict), line
    assert list(found)[: len(HEAD)] == HEAD, line
    return found
