"""The script of the badge, which pages of any shop load from here: a file, and nothing that anybody may not know.

``badge.js`` beside this file is made from ``client-sdk/js`` and kept equal to it by a test. See docs/how-to/badge.md.
"""

import gzip
import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from hub.reads.readers import Readers
from server.http.codings import accepts_gzip
from server.http.etags import holds
from server.http.query import Query
from server.rates.rate_limits import ALLOWANCE

PATH = "/v1/badge.js"
FILE = Path(__file__).with_name("badge.js")
HEADERS = {
    "Cache-Control": "public, max-age=300, stale-while-revalidate=86400, stale-if-error=86400",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
}
"""Five minutes, and after them once more while a newer one is fetched: so long a page may run the script of before. A
day where no hub answers."""
MEDIA_TYPE = "text/javascript"


class BadgeScript:
    """The same bytes for everybody, packed once."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        plain = FILE.read_bytes()
        tag = hashlib.sha256(plain).hexdigest()[:16]
        self._plain = plain, {**HEADERS, "ETag": f'"{tag}"'}
        packed = gzip.compress(plain, 9, mtime=0)
        self._packed = packed, {**HEADERS, "ETag": f'"{tag}-gzip"', "Content-Encoding": "gzip"}

    async def answer(self, request: Request) -> Response:
        """GET /v1/badge.js. ``hub`` is for the script, ``v`` and WordPress's ``ver`` are for caches."""
        self._readers.anybody(request)
        Query(request, "hub", "v", "ver")
        request.scope.pop(ALLOWANCE, None)  # what a shared cache keeps says nothing of who asked
        body, headers = self._packed if accepts_gzip(request.headers.getlist("Accept-Encoding")) else self._plain
        if holds(request, headers["ETag"]):
            kept = {name: value for name, value in headers.items() if name != "Content-Encoding"}
            return Response(status_code=304, headers=kept)
        return Response(body, headers=headers, media_type=MEDIA_TYPE)
