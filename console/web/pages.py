"""The pages, from files that lie beside the program: read once, told apart by their content."""

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.http.etags import holds
from server.problems import NotFound

FOLDER = Path(__file__).parent.parent / "pages"
FILE_BYTES_MAX = 2**20
INDEX = "index.html"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
"""What is served; all else in the folder is not."""
_KEPT = {TYPES[".svg"]: "max-age=86400"}
"""Of icons: a page that is open draws them anew while the console is away, too. All else is asked for each time."""
_PLAIN = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Stockwire console</title>
<p>The console runs. Its pages are not installed here; what they would show is at <code>/live</code> and
<code>/api</code>.
"""


@dataclass(frozen=True, slots=True)
class File:
    content: bytes
    media_type: str
    etag: str


class Pages:
    """Reads all files of ``folder`` when it is made. A path that is no file is the index: pages have addresses of their
    own, which their script reads."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {name: _file(path) for name, path in _found(folder)}
        self._files.setdefault(INDEX, _made(_PLAIN, TYPES[".html"]))

    def route(self) -> Route:
        return Route("/{path:path}", self.serve, methods=["GET"])

    async def serve(self, request: Request) -> Response:
        path = request.path_params["path"]
        file = self._files.get(path or INDEX)
        if file is None:
            if "." in path.rpartition("/")[2] or path.startswith(("api/", "in/")):
                raise NotFound("path", f"/{path}"[:256])
            file = self._files[INDEX]
        headers = {"ETag": file.etag, "Cache-Control": _KEPT.get(file.media_type, "no-cache")}
        if holds(request, file.etag):
            return Response(status_code=304, headers=headers)
        return Response(file.content, media_type=file.media_type, headers=headers)


def _found(folder: Path) -> list[tuple[str, Path]]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix in TYPES]
    return [(path.relative_to(folder).as_posix(), path) for path in files if path.stat().st_size <= FILE_BYTES_MAX]


def _file(path: Path) -> File:
    return _made(path.read_bytes(), TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain")


def _made(content: bytes, media_type: str) -> File:
    return File(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:24]}"')
