"""JSON answers."""

from typing import Any

import orjson
from starlette.responses import Response


class Json(Response):
    """``content`` is anything that orjson takes."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)
