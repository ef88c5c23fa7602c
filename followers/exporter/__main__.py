"""``python -m followers.exporter``: audits the log, and tells of the skus that sell fastest; one is enough."""

import sys

from server.imports import lean

with lean():
    from followers.exporter.process import Exporter
    from followers.exporter.settings import HOST, PORT, read_settings
    from followers.serving import serve


def main() -> int:
    return serve("exporter", (HOST, PORT), read_settings, Exporter)


if __name__ == "__main__":
    sys.exit(main())
