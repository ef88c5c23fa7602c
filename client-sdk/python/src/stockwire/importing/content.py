"""The bytes of a file, gunzipped if it is gzip, whatever its name."""

import gzip
import io
import zlib
from pathlib import Path
from typing import IO

from stockwire.importing.errors import UnreadableFile

GZIP_MAGIC = b"\x1f\x8b"
CONTENT_BYTES_MAX = 512 * 2**20
"""A few million lines. All of it is held in memory, and a small gzip file may unpack to anything."""


def read_content(path: Path) -> bytes:
    """Raises UnreadableFile."""
    try:
        with path.open("rb") as raw:
            content = _bounded(raw, path)  # once: a pipe cannot be read again
        if not content.startswith(GZIP_MAGIC):
            return content
        with gzip.open(io.BytesIO(content)) as unzipped:
            return _bounded(unzipped, path)
    except EOFError:
        raise UnreadableFile(f"{path} is cut off: its gzip stream has no end") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableFile(f"{path} is no sound gzip file: {error}") from None
    except (OSError, ValueError) as error:
        raise UnreadableFile(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _bounded(content: IO[bytes] | gzip.GzipFile, path: Path) -> bytes:
    read = content.read(CONTENT_BYTES_MAX + 1)
    if len(read) > CONTENT_BYTES_MAX:
        raise UnreadableFile(f"{path} holds more than {CONTENT_BYTES_MAX // 2**20} MiB: split it")
    return read
